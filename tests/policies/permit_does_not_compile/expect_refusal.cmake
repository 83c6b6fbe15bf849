# Compiles SOURCE with ATTEMPT defined and fails unless the compiler refuses access. WILL_FAIL alone would
# also be content with a missing header or compiler.
execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C ${COMPILE} -D${ATTEMPT} ${SOURCE}
                RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(result EQUAL 0)
  message(FATAL_ERROR "${ATTEMPT} compiles: a permit can be made outside the policy engine")
endif()
# g++: "is private within this context", "no matching function"; clang: "private constructor", "private
# member", "no matching constructor". What is moved only has a "deleted" copy; a maker that is not there
# is "no member".
if(NOT output MATCHES "error:[^\n]*(private|no matching|could not convert|cannot convert|no viable conversion|inherited|deleted|no member|has no member)")
  message(FATAL_ERROR "${ATTEMPT} was refused for another reason:\n${output}")
endif()
if(output MATCHES "No such file|file not found|name an attempt|#error")
  message(FATAL_ERROR "${ATTEMPT} did not get as far as the permit:\n${output}")
endif()
