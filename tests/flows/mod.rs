//! Records on their way between platforms: stock, orders, the ways to sign in, more than one user at once.
