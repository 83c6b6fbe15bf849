add_library(sealbook_warnings INTERFACE)
target_compile_options(sealbook_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
  -Wundef -Wextra-semi -Wimplicit-fallthrough -Wmissing-declarations
  # Abseil's and nlohmann's templates, and std::string (GCC bugs 105651, 105329), set these off in g++ 12 at
  # -O2; clang stays strict.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow> $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>
  # In a unity build it takes each .cc for a header.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
# GNU's missing-field warning speaks up against designated initializers that leave out a defaulted member.
target_compile_options(sealbook_warnings INTERFACE -Wno-missing-field-initializers)

# Hardening that costs next to nothing, for every build but the sanitized ones.
if(SEALBOOK_SANITIZE)
  add_compile_options(-fsanitize=${SEALBOOK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SEALBOOK_SANITIZE})
elseif(SEALBOOK_FUZZ)
  # The libraries too: libFuzzer finds its way by what they run through.
  add_compile_options(-fsanitize=fuzzer-no-link,address -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address)
else()
  add_compile_options(-fstack-protector-strong $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
