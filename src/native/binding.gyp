{
  # Built by tools/build-native.mjs. It lies here and not at the root: node-gyp owns the build folder
  # beside it.
  "targets": [
    {
      "target_name": "headgate",
      "sources": ["addon.cc", "face.cc", "waiter.cc", "engine.cc", "reads.cc", "commands.cc", "writes.cc", "sockets.cc"],
      "include_dirs": ["../../node_modules/node-addon-api"],
      "defines": [
        "NAPI_VERSION=8",
        "NAPI_DISABLE_CPP_EXCEPTIONS",
        # A thread may be ended while it is in JavaScript that was called from here.
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
      ],
      "cflags_cc!": ["-std=gnu++20", "-std=gnu++17", "-fno-rtti"],
      "cflags_cc": ["-std=c++17", "-Wall", "-Wextra", "-O2", "-fno-exceptions"],
      "conditions": [
        [
          "sanitize=='yes'",
          {
            "cflags_cc": [
              "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined",
              "-fno-sanitize-recover=undefined"
            ],
            "ldflags": ["-fsanitize=address,undefined"],
          },
        ]
      ],
    }
  ],
  "variables": {"sanitize%": "no"},
}
