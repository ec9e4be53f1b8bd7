# SPDX-License-Identifier: Apache-2.0
# For builds without meta-oe. CVE-2025-69277, which meta-oe has a patch for, is in the check that a
# point lies in Ed25519's main subgroup: the relay calls neither function that asks for it.
SUMMARY = "Encryption, signatures and hashes that are hard to misuse"
DESCRIPTION = "The library of NaCl, portable, with what the relay seals backups and signs with."
# nooelint: oelint.vars.homepageping
HOMEPAGE = "https://libsodium.org"
BUGTRACKER = "https://github.com/jedisct1/libsodium/issues"
SECTION = "libs"
CVE_PRODUCT = "libsodium"
LICENSE = "ISC"
LIC_FILES_CHKSUM = "file://LICENSE;md5=c59be7bb29f8e431b5f2d690b6734185"

SRC_URI = "https://download.libsodium.org/libsodium/releases/${BP}.tar.gz"
SRC_URI[sha256sum] = "ebb65ef6ca439333c2bb41a0c1990587288da07f6c7fd07cb3a18cc18d30ce19"

inherit autotools

BBCLASSEXTEND = "native nativesdk"
