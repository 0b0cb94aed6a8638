"""Every error on purpose is a `T2VError`, and says what to do next."""

import t2v

try:
    t2v.make_plan("a fox in the snow", t2v.Options(model="wan2.1-t2v-13b"))
except t2v.errors.UnknownModelError as error:
    print(error)
    print("exit code", error.exit_code)
