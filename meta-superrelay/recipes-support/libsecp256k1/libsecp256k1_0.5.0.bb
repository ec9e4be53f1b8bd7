# SPDX-License-Identifier: Apache-2.0
SUMMARY = "ECDSA on the curve secp256k1, in constant time"
DESCRIPTION = "Bitcoin Core's library for keys and signatures on secp256k1, here with the module \
               that recovers public keys, and with its sources for Trusted Applications."
# nooelint: oelint.vars.homepageping
HOMEPAGE = "https://github.com/bitcoin-core/secp256k1"
BUGTRACKER = "https://github.com/bitcoin-core/secp256k1/issues"
SECTION = "libs"
CVE_PRODUCT = "secp256k1"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://COPYING;md5=67330c75f8bf6a92f6f8a36ae669ba74"

# The commit of the tag v0.5.0
SRC_URI = "\
    git://github.com/bitcoin-core/secp256k1.git;protocol=https;branch=master;destsuffix=${BP} \
"
SRCREV = "e3a885d42a7800c1ccebad94ad1e2b82c4df5c65"

inherit cmake pkgconfig

EXTRA_OECMAKE = "\
    -DSECP256K1_ENABLE_MODULE_RECOVERY=ON \
    -DSECP256K1_BUILD_BENCHMARK=OFF \
    -DSECP256K1_BUILD_TESTS=OFF \
    -DSECP256K1_BUILD_EXHAUSTIVE_TESTS=OFF \
    -DSECP256K1_BUILD_CTIME_TESTS=OFF \
"

# The Trusted Application is compiled from the same sources as the library.
do_install:append() {
    install -d ${D}${datadir}/libsecp256k1/source
    cp -R --no-dereference --preserve=mode ${S}/COPYING ${S}/include ${S}/src \
        ${D}${datadir}/libsecp256k1/source/
}

PACKAGES =+ "${PN}-source"
FILES:${PN}-source += "${datadir}/libsecp256k1"

BBCLASSEXTEND = "native nativesdk"
