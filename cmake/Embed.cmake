# Makes the bytes of a file an array of a library:
#   sealbook_embed(vault records/chat_dictionary.h sealbook::records::internal kName path/to/file)
# defines kName and kNameBytes, which the header declares. No assembler and no linker's tricks: those
# are different for each system, and ccache does not see what they read.
function(sealbook_embed target header namespace name file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  file(READ ${file} bytes HEX)
  string(LENGTH "${bytes}" digits)
  math(EXPR size "${digits} / 2")
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded/${name}.cc)
  file(CONFIGURE OUTPUT ${source} CONTENT [=[
// Made by cmake/Embed.cmake from @file@.
#include "@header@"

namespace @namespace@ {
const std::uint8_t @name@[] = {
@bytes@};
const std::size_t @name@Bytes = @size@;
}  // namespace @namespace@
]=] @ONLY)
  target_sources(${target} PRIVATE ${source})
endfunction()
