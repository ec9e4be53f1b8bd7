# SPDX-License-Identifier: Apache-2.0
# For releases whose meta-oe has none.
SUMMARY = "JSON library in C"
DESCRIPTION = "Reads and writes JSON, and can keep numbers as the text that they were."
# nooelint: oelint.vars.homepageping
HOMEPAGE = "https://github.com/ibireme/yyjson"
BUGTRACKER = "https://github.com/ibireme/yyjson/issues"
SECTION = "libs"
CVE_PRODUCT = "yyjson"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://LICENSE;md5=c8ae1b99922935413d4c596f50b59545"

# The commit of the tag 0.10.0
SRC_URI = "git://github.com/ibireme/yyjson.git;protocol=https;branch=master;destsuffix=${BP}"
SRCREV = "9ddba001a4ea88e93b46932e5c5b87b222e19a5f"

inherit cmake

EXTRA_OECMAKE = "-DBUILD_SHARED_LIBS=ON"

BBCLASSEXTEND = "native nativesdk"
