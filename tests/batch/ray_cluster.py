"""`python -m tests.batch.ray_cluster`: a cluster of virtual nodes that ends with its stdin.

It prints its address. A line `add` adds a node of one processor and prints its number, `kill 2` ends
the second that was added without a farewell.
"""

import sys

from ray.cluster_utils import Cluster

STORE_BYTES = 80 << 20
# Ray gives a node that is silent half a minute; one second is enough for one on this machine.
QUICK = {"health_check_period_ms": 500, "health_check_failure_threshold": 4}


def main() -> None:
    head = {
        "num_cpus": 0,
        "include_dashboard": False,
        "object_store_memory": STORE_BYTES,
        "_system_config": QUICK,
    }
    cluster = Cluster(initialize_head=True, head_node_args=head)
    _say(cluster.address)
    nodes = []
    for line in sys.stdin:
        if line.strip() == "add":
            node = cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
            nodes.append(node)
            _say(str(len(nodes)))
        else:
            node = nodes[int(line.split()[1]) - 1]
            cluster.remove_node(node, allow_graceful=False)
            _say("gone")
    cluster.shutdown()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
