"""The zoo is data: ask it anything."""

import t2v

zoo = t2v.Zoo.load()
print([spec.name for spec in zoo.values() if spec.commercial == "yes"])

wan = zoo.find("wan2.1")
print(wan.name, wan.license, wan.frames.native, wan.sizes.native[0])
print(wan.sources["frames"])
