//! Keys made for the tests of this room; they open nothing anywhere.

pub(crate) const EC_PRIVATE: &str = include_str!("../../fixtures/ec_private.pem");
pub(crate) const EC_PUBLIC: &str = include_str!("../../fixtures/ec_public.pem");
pub(crate) const RSA_PRIVATE: &str = include_str!("../../fixtures/rsa_private.pem");
pub(crate) const RSA_PUBLIC: &str = include_str!("../../fixtures/rsa_public.pem");
pub(crate) const RSA_2048_PRIVATE: &str = include_str!("../../fixtures/rsa_2048_private.pem");
