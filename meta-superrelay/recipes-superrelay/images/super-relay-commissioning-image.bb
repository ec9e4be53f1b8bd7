# nooelint: oelint.var.suggestedvar.BUGTRACKER,oelint.var.suggestedvar.CVE_PRODUCT
# SPDX-License-Identifier: Apache-2.0
SUMMARY = "SuperRelay's image to commission a board with"
DESCRIPTION = "As the image for service, with what makes keys on a board, a root file system that \
               can be written, and root without a password on the serial console. For a desk: put \
               the image for service in its place before the board meets a network."

require super-relay-image.inc

# What runs super-relay as its user needs PAM, by util-linux's recipe.
REQUIRED_DISTRO_FEATURES = "pam"

IMAGE_INSTALL += "super-relay-provisioning"

# The second is PAM's consent. There is no server that listens for log-ins, which is made sure of.
# nooelint: oelint.var.badimagefeature.allow-empty-password,oelint.var.badimagefeature.empty-root-password
IMAGE_FEATURES += "empty-root-password allow-empty-password"
IMAGE_FEATURES:remove = "debug-tweaks allow-root-login ssh-server-dropbear ssh-server-openssh"

# Whoever builds it, and whoever looks at the console, is told.
superrelay_mark_image() {
    bbwarn "in this image root has no password: it is to commission boards, not for service"
    text="COMMISSIONING IMAGE: root has no password. Not for service, and not for a network."
    for file in issue issue.net motd; do
        printf '\n%s\n\n' "$text" >> ${IMAGE_ROOTFS}${sysconfdir}/$file
    done
}
superrelay_mark_image[doc] = "Says what this image is, at its build and at each log-in"
ROOTFS_POSTPROCESS_COMMAND:append = " superrelay_mark_image;"

superrelay_check_servers() {
    for server in sshd dropbear; do
        if [ -e ${IMAGE_ROOTFS}${sbindir}/$server ] || [ -L ${IMAGE_ROOTFS}${sbindir}/$server ]; then
            bbfatal "$server is in an image whose root has no password: anybody could log in"
        fi
    done
}
superrelay_check_servers[doc] = "Refuses log-ins over the network where root has no password"
IMAGE_QA_COMMANDS += "superrelay_check_servers"
