# Read by the scripts beside it: the VM's machine, by ARCH, which is Debian's name. amd64 has this machine's files. The
# others are emulated on any machine, and have a Debian of their own under the cache, with this project at its path.
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
arch=${ARCH:-amd64}
cache=${CNI_TEST_VM_CACHE:-$project/target/vm}
[ "$arch" = amd64 ] || cache=$cache/$arch
# What its devices are attached to, and the kernel's module for that; the second network card.
bus=pci modules=virtio_pci card=e1000
case $arch in
  amd64) machine=(qemu-system-x86_64 -machine q35) console=ttyS0 ;;
  arm64) machine=(qemu-system-aarch64 -machine virt -cpu cortex-a72) console=ttyAMA0 ;;
  s390x) machine=(qemu-system-s390x -machine s390-ccw-virtio) console=ttysclp0 bus=ccw modules='' card=virtio-net-ccw ;;
  *) echo "VM: no machine for ARCH=$arch: amd64, arm64 or s390x" >&2; exit 2 ;;
esac
mkdir -p "$cache"; cache=$(cd "$cache" && pwd)
