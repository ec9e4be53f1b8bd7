# nooelint: oelint.var.bbclassextend,oelint.var.suggestedvar.BUGTRACKER
# SPDX-License-Identifier: Apache-2.0
SUMMARY = "The partition that keeps the state of SuperRelay and OP-TEE"
DESCRIPTION = "Mounts the partition labelled superrelay at /var/lib, and keeps systemd from \
               putting a file system in memory there."
# nooelint: oelint.vars.homepageping
HOMEPAGE = "https://eips.ethereum.org/EIPS/eip-4337"
SECTION = "base"
CVE_PRODUCT = "super-relay"
LICENSE = "Apache-2.0"
# nooelint: oelint.var.licenseremotefile
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

SRC_URI = "\
    file://var-lib.mount;subdir=${BP} \
    file://volatile-lib.conf;subdir=${BP} \
"

inherit systemd

SYSTEMD_SERVICE:${PN} = "var-lib.mount"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -D -m 0644 ${S}/var-lib.mount ${D}${systemd_system_unitdir}/var-lib.mount
    install -D -m 0644 ${S}/volatile-lib.conf \
        ${D}${systemd_system_unitdir}/var-volatile-lib.service.d/50-super-relay.conf
}

FILES:${PN} += "${systemd_system_unitdir}"
RDEPENDS:${PN} = "e2fsprogs-e2fsck"
