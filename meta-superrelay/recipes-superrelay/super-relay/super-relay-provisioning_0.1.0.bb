# nooelint: oelint.var.bbclassextend,oelint.var.suggestedvar.BUGTRACKER
# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Commissions a board: operator, keys and policies, in their order"
DESCRIPTION = "scripts/provision.sh of SuperRelay, with the programs that it calls. Not for images \
               that are in service."
SECTION = "console/utils"
LICENSE = "Apache-2.0"

require super-relay-source.inc

# Nothing is compiled. The scripts are no part of what the others are built from.
SUPERRELAY_CHECKOUT += "\
    file://scripts/board;subdir=${BP} \
    file://scripts/provision.sh;subdir=${BP} \
"

inherit features_check

REQUIRED_MACHINE_FEATURES = "optee"
# Else util-linux has no runuser.
REQUIRED_DISTRO_FEATURES = "pam"
# As that of the relay, which it runs.
PACKAGE_ARCH = "${MACHINE_ARCH}"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

# The script looks for the others beside itself, and follows links to it.
do_install() {
    install -d ${D}${sbindir} ${D}${datadir}/super-relay/board
    install -m 0755 ${S}/scripts/provision.sh ${D}${datadir}/super-relay/
    install -m 0644 ${S}/scripts/board/*.sh ${D}${datadir}/super-relay/board/
    ln -rs ${D}${datadir}/super-relay/provision.sh ${D}${sbindir}/super-relay-provision
}

FILES:${PN} += "${datadir}/super-relay"

RDEPENDS:${PN} = "\
    bash \
    coreutils \
    grep \
    mmc-utils \
    sed \
    super-relay \
    util-linux-flock \
    util-linux-runuser \
"
# getent; musl's is always there.
RDEPENDS:${PN}:append:libc-glibc = " glibc-utils"
