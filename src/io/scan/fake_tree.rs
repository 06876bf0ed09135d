//! A sysfs and /dev of one's own, laid out like the real ones: the scan cannot tell the difference.
//!
//! Uses the standard library only, so that tests outside this crate can include the file.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A tree in an existing, empty directory: `sys` and `dev` below it are the roots to scan.
#[derive(Debug)]
pub(crate) struct FakeTree {
    root: PathBuf,
    next_devnum: u32,
}

/// A USB device to plug in, with one tty or several.
#[derive(Clone, Debug)]
pub(crate) struct FakeDevice {
    /// The controller's directory below `/sys/devices`: its bus is told from the name.
    pub(crate) controller: &'static str,
    /// The hub ports, for example `3.1`.
    pub(crate) ports: &'static str,
    /// USB vendor and product id.
    pub(crate) id: (u16, u16),
    /// The serial number string.
    pub(crate) serial: Option<&'static str>,
    /// The product string.
    pub(crate) product: Option<&'static str>,
    /// The ttys.
    pub(crate) ttys: Vec<FakeTty>,
}

/// One tty of a USB device.
#[derive(Clone, Debug)]
pub(crate) struct FakeTty {
    /// `ttyUSB0`, `ttyACM0`.
    pub(crate) name: &'static str,
    /// USB interface number.
    pub(crate) interface: u8,
    /// usb-serial's port number; none for cdc_acm, whose tty hangs on the interface itself.
    pub(crate) port_number: Option<u8>,
    /// What the device node is: usually the path of a PTY. None: there is no node.
    pub(crate) node: Option<PathBuf>,
}

impl FakeDevice {
    /// A device on the first bus of a PC, without strings and ttys.
    pub(crate) fn new(ports: &'static str, vid: u16, pid: u16) -> FakeDevice {
        let controller = "pci0000:00/0000:00:14.0";
        FakeDevice { controller, ports, id: (vid, pid), serial: None, product: None, ttys: Vec::new() }
    }

    /// An Arduino Uno: cdc_acm.
    pub(crate) fn uno(ports: &'static str, serial: &'static str, tty: &'static str) -> FakeDevice {
        let tty = FakeTty { name: tty, interface: 0, port_number: None, node: Some("/dev/null".into()) };
        let mut uno = FakeDevice::new(ports, 0x2341, 0x0043);
        (uno.serial, uno.product, uno.ttys) = (Some(serial), Some("Arduino Uno"), vec![tty]);
        uno
    }

    /// A CH340: usb-serial, no serial number.
    pub(crate) fn ch340(ports: &'static str, tty: &'static str) -> FakeDevice {
        let tty = FakeTty { name: tty, interface: 0, port_number: Some(0), node: Some("/dev/null".into()) };
        let mut ch340 = FakeDevice::new(ports, 0x1a86, 0x7523);
        (ch340.product, ch340.ttys) = (Some("USB Serial"), vec![tty]);
        ch340
    }
}

impl FakeTree {
    /// Lays out an empty machine.
    pub(crate) fn new(root: &Path) -> io::Result<FakeTree> {
        for dir in ["sys/class/tty", "sys/bus/usb/devices", "sys/devices", "dev"] {
            fs::create_dir_all(root.join(dir))?;
        }
        Ok(FakeTree { root: root.to_owned(), next_devnum: 2 })
    }

    /// To be scanned as `/sys`.
    pub(crate) fn sysfs(&self) -> PathBuf {
        self.root.join("sys")
    }

    /// To be scanned as `/dev`.
    pub(crate) fn dev(&self) -> PathBuf {
        self.root.join("dev")
    }

    /// Plugs a device in, under a new device number as the kernel would.
    pub(crate) fn plug(&mut self, device: &FakeDevice) -> io::Result<()> {
        self.make_controller(device.controller)?;
        let usb = self.usb_dir(device);
        let controller = self.root.join("sys/devices").join(device.controller);
        let hubs = usb.ancestors().skip(1).take_while(|dir| *dir != controller);
        hubs.collect::<Vec<_>>().into_iter().rev().try_for_each(|hub| self.make_device(hub, "usb"))?;
        self.make_device(&usb, "usb")?;
        let (vid, pid) = device.id;
        write(&usb, "idVendor", &format!("{vid:04x}"))?;
        write(&usb, "idProduct", &format!("{pid:04x}"))?;
        write(&usb, "busnum", "1")?;
        write(&usb, "devnum", &self.next_devnum.to_string())?;
        self.next_devnum += 1;
        for (name, value) in [("serial", device.serial), ("product", device.product)] {
            value.map_or(Ok(()), |value| write(&usb, name, value))?;
        }
        symlink(&usb, self.on_bus(&usb))?;
        device.ttys.iter().try_for_each(|tty| self.add_tty(&usb, tty))
    }

    /// Adds an interface without a tty: of this class, taken by that driver or by none.
    pub(crate) fn add_interface(
        &self,
        device: &FakeDevice,
        number: u8,
        class: u8,
        driver: Option<&str>,
    ) -> io::Result<()> {
        let interface = self.add_interface_dir(&self.usb_dir(device), number)?;
        write(&interface, "bInterfaceClass", &format!("{class:02x}"))?;
        let link = |driver| symlink(self.root.join("sys/bus/usb/drivers").join(driver), interface.join("driver"));
        driver.map_or(Ok(()), link)
    }

    /// Unplugs a device: its ttys, their nodes and its directory go.
    pub(crate) fn unplug(&mut self, device: &FakeDevice) -> io::Result<()> {
        for tty in &device.ttys {
            fs::remove_file(self.root.join("sys/class/tty").join(tty.name))?;
            if tty.node.is_some() {
                fs::remove_file(self.dev().join(tty.name))?;
            }
        }
        let usb = self.usb_dir(device);
        fs::remove_file(self.on_bus(&usb))?;
        fs::remove_dir_all(usb)
    }

    /// The directory of a device, below those of the hubs that it is behind.
    pub(crate) fn usb_dir(&self, device: &FakeDevice) -> PathBuf {
        let mut dir = self.root.join("sys/devices").join(device.controller).join("usb1");
        let ends = device.ports.match_indices('.').map(|(end, _)| end).chain([device.ports.len()]);
        ends.for_each(|end| dir.push(format!("1-{}", &device.ports[..end])));
        dir
    }

    /// Where a device's directory is linked from.
    fn on_bus(&self, usb: &Path) -> PathBuf {
        self.root.join("sys/bus/usb/devices").join(usb.file_name().unwrap_or_default())
    }

    fn add_interface_dir(&self, usb: &Path, number: u8) -> io::Result<PathBuf> {
        let usb_name = usb.file_name().unwrap_or_default().to_string_lossy();
        let interface = usb.join(format!("{usb_name}:1.{number}"));
        self.make_device(&interface, "usb")?;
        write(&interface, "bInterfaceNumber", &format!("{number:02x}"))?;
        Ok(interface)
    }

    fn add_tty(&self, usb: &Path, tty: &FakeTty) -> io::Result<()> {
        let interface = self.add_interface_dir(usb, tty.interface)?;
        let parent = match tty.port_number {
            None => interface,
            Some(number) => {
                let port = interface.join(tty.name);
                self.make_device(&port, "usb-serial")?;
                write(&port, "port_number", &number.to_string())?;
                port
            }
        };
        let dir = parent.join("tty").join(tty.name);
        fs::create_dir_all(&dir)?;
        symlink(&parent, dir.join("device"))?;
        symlink(&dir, self.root.join("sys/class/tty").join(tty.name))?;
        tty.node.as_ref().map_or(Ok(()), |node| symlink(node, self.dev().join(tty.name)))
    }

    /// The directories from `devices` down to the controller, each on its bus.
    fn make_controller(&self, controller: &str) -> io::Result<()> {
        let mut dir = self.root.join("sys/devices");
        for name in controller.split('/') {
            dir.push(name);
            match name.split(':').count() {
                3 => self.make_device(&dir, "pci")?,
                1 if name != "platform" => self.make_device(&dir, "platform")?,
                _ => fs::create_dir_all(&dir)?,
            }
        }
        Ok(())
    }

    fn make_device(&self, dir: &Path, bus: &str) -> io::Result<()> {
        fs::create_dir_all(dir)?;
        let link = dir.join("subsystem");
        if link.is_symlink() {
            return Ok(());
        }
        symlink(self.root.join("sys/bus").join(bus), link)
    }
}

fn write(dir: &Path, name: &str, value: &str) -> io::Result<()> {
    fs::write(dir.join(name), format!("{value}\n"))
}
