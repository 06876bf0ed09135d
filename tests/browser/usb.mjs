// A sysfs and /dev of one's own with one generic chip in it, laid out like the real ones.

import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A machine with a CH340 whose device node is `node`, below `root`; the options that make the bridge look there. */
export async function machineWithChip(t, node, root) {
  root ??= await mkdtemp(join(tmpdir(), "usb-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  const controller = join(root, "sys/devices/pci0000:00/0000:00:14.0");
  const hub = join(controller, "usb1");
  const usb = join(hub, "1-3");
  const face = join(usb, "1-3:1.0");
  const port = join(face, "ttyUSB0");
  const tty = join(port, "tty/ttyUSB0");
  for (const dir of [tty, join(root, "sys/class/tty"), join(root, "dev")]) await mkdir(dir, { recursive: true });
  for (const [dir, bus] of [[controller, "pci"], [hub, "usb"], [usb, "usb"], [face, "usb"], [port, "usb-serial"]]) {
    await symlink(join(root, "sys/bus", bus), join(dir, "subsystem"));
  }
  const facts = { idVendor: "1a86", idProduct: "7523", busnum: "1", devnum: "2", product: "USB Serial" };
  for (const [name, value] of Object.entries(facts)) await writeFile(join(usb, name), `${value}\n`);
  await writeFile(join(face, "bInterfaceNumber"), "00\n");
  await writeFile(join(port, "port_number"), "0\n");
  await symlink(port, join(tty, "device"));
  await symlink(tty, join(root, "sys/class/tty/ttyUSB0"));
  await symlink(node, join(root, "dev/ttyUSB0"));
  return ["--sysfs-root", join(root, "sys"), "--dev-root", join(root, "dev")];
}
