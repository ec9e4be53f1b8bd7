# nooelint: oelint.var.bbclassextend,oelint.var.suggestedvar.BUGTRACKER
# SPDX-License-Identifier: Apache-2.0
SUMMARY = "ERC-4337 paymaster relay whose keys live in a TEE"
DESCRIPTION = "Sponsors UserOperations of Ethereum accounts. The key that signs never leaves the \
               Trusted Application super-relay-ta."
SECTION = "net"
LICENSE = "Apache-2.0"

require super-relay-source.inc

DEPENDS += "curl libsecp256k1 libsodium libuv llhttp openssl optee-client yyjson"

inherit meson pkgconfig systemd useradd features_check

REQUIRED_MACHINE_FEATURES = "optee"
# Its configuration is the machine's, and so is the TA that it needs.
PACKAGE_ARCH = "${MACHINE_ARCH}"

# A newer compiler's warning is for the project's own tests to find, not for an image's build.
EXTRA_OEMESON = "\
    -Dtests=false \
    -Dwerror=false \
    -Dsystemd_unit_dir=${systemd_system_unitdir} \
"

# The configuration, of those in config/. It asks for variables, which SUPERRELAY_ENVIRONMENT, a
# file on the build machine, gives.
SUPERRELAY_CONFIG ?= "optee-config.toml"
# nooelint: oelint.vars.specific
SUPERRELAY_CONFIG:mx93-nxp-bsp ?= "imx93-config.toml"

SYSTEMD_SERVICE:${PN} = "super-relay.service"

# The device for clients is group tee's, in older releases of meta-arm teeclnt's: so says the udev
# rule of optee-client. The numbers of the relay's own are the same in every image: the operator's
# signature for the TA holds that of the group, and the state is left from one image to the next.
USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system tee; --system teeclnt; --system --gid 801 super-relay"
USERADD_PARAM:${PN} = "--system --uid 801 --gid super-relay --groups tee,teeclnt \
                       --no-create-home --home-dir ${localstatedir}/lib/super-relay \
                       --shell ${base_sbindir}/nologin super-relay"

do_install:append() {
    install -D -m 0644 ${S}/config/${SUPERRELAY_CONFIG} \
        ${D}${sysconfdir}/super-relay/config.toml
    # systemd reads it as root; the URLs in it may hold an access token.
    if [ -n "${SUPERRELAY_ENVIRONMENT}" ]; then
        install -m 0600 ${SUPERRELAY_ENVIRONMENT} ${D}${sysconfdir}/super-relay/environment
    fi
}
do_install[file-checksums] += "${@d.getVar('SUPERRELAY_ENVIRONMENT') + ':True' \
    if d.getVar('SUPERRELAY_ENVIRONMENT') else ''}"

CONFFILES:${PN} = "${sysconfdir}/super-relay/config.toml"

# libteec is loaded at run time, and the node is asked over HTTPS.
RDEPENDS:${PN} = "ca-certificates optee-client super-relay-ta"
