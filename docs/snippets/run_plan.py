"""A plan is carried out as it was printed; each video is handed out as soon as it is finished."""

import t2v

plan = t2v.make_plan("a white circle drifts left at sunset", t2v.Options(num_videos=2, seed=5))
for video in t2v.run(plan, output="circle-{seed}.mp4"):
    print(video.output, video.record["timings_s"]["total"])
