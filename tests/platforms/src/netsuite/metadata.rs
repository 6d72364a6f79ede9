//! The record types this account has and their fields.

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text of at most so many characters.
    Text(usize),
    Boolean,
    Integer,
    /// An amount or a quantity.
    Number,
    /// A day, `2026-11-20`.
    Date,
    /// A time; only the account sets it.
    ReadOnly,
    /// Another record, of this type.
    Record(&'static str),
    /// One of a list of values with an id.
    Choice,
    /// Several other records.
    Records(&'static str),
    /// An address, kept as it came.
    Address,
}

/// A list of lines inside a record.
#[derive(Debug)]
pub(crate) struct Sublist {
    pub(crate) name: &'static str,
    /// The fields that tell one line from another. `line` is a number the account gives.
    pub(crate) keys: &'static [&'static str],
    pub(crate) fields: &'static [(&'static str, Kind)],
    /// What a line must have.
    pub(crate) required: &'static [&'static str],
}

/// A record type.
#[derive(Debug)]
pub(crate) struct Type {
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [(&'static str, Kind)],
    pub(crate) required: &'static [&'static str],
    pub(crate) sublists: &'static [Sublist],
    /// What its custom fields begin with.
    pub(crate) custom_prefix: &'static str,
    /// Whether it can be changed through the API.
    pub(crate) writable: bool,
}

impl Type {
    pub(crate) fn field(&self, name: &str) -> Option<Kind> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, kind)| *kind)
    }

    pub(crate) fn sublist(&self, name: &str) -> Option<&'static Sublist> {
        self.sublists.iter().find(|sublist| sublist.name == name)
    }
}

/// The type of this name, whatever its case: `inventoryItem`, `inventoryitem`.
pub(crate) fn type_named(name: &str) -> Option<&'static Type> {
    TYPES.iter().find(|known| known.name.eq_ignore_ascii_case(name))
}

/// The types whose records share their external ids and names: items.
pub(crate) fn is_item(kind: &str) -> bool {
    matches!(kind, "inventoryItem" | "nonInventorySaleItem")
}

const LONG: usize = 100_000;

const ITEM_FIELDS: &[(&str, Kind)] = &[
    ("itemId", Kind::Text(60)),
    ("displayName", Kind::Text(4_000)),
    ("storeDisplayName", Kind::Text(4_000)),
    ("storeDescription", Kind::Text(4_000)),
    ("storeDetailedDescription", Kind::Text(LONG)),
    ("salesDescription", Kind::Text(4_000)),
    ("purchaseDescription", Kind::Text(4_000)),
    ("upcCode", Kind::Text(100)),
    ("mpn", Kind::Text(100)),
    ("manufacturer", Kind::Text(255)),
    ("isInactive", Kind::Boolean),
    ("isOnline", Kind::Boolean),
    ("includeChildren", Kind::Boolean),
    ("cost", Kind::Number),
    ("weight", Kind::Number),
    ("parent", Kind::Record("inventoryItem")),
    ("class", Kind::Record("classification")),
    ("department", Kind::Record("department")),
    ("location", Kind::Record("location")),
    ("subsidiary", Kind::Records("subsidiary")),
    ("taxSchedule", Kind::Choice),
    ("cogsAccount", Kind::Choice),
    ("assetAccount", Kind::Choice),
    ("incomeAccount", Kind::Choice),
    ("matrixType", Kind::Choice),
    ("costingMethod", Kind::Choice),
    ("itemType", Kind::ReadOnly),
    ("totalQuantityOnHand", Kind::ReadOnly),
];

const PRICE: Sublist = Sublist {
    name: "price",
    keys: &["currencyPage", "priceLevel", "quantity"],
    fields: &[
        ("currencyPage", Kind::Record("currency")),
        ("priceLevel", Kind::Record("priceLevel")),
        ("quantity", Kind::Choice),
        ("price", Kind::Number),
        ("priceLevelName", Kind::ReadOnly),
        ("discountDisplay", Kind::ReadOnly),
    ],
    required: &["currencyPage", "priceLevel"],
};

const LOCATIONS: Sublist = Sublist {
    name: "locations",
    keys: &["locationId"],
    fields: &[
        ("locationId", Kind::Record("location")),
        ("preferredStockLevel", Kind::Number),
        ("reorderPoint", Kind::Number),
        ("location", Kind::ReadOnly),
        ("quantityOnHand", Kind::ReadOnly),
        ("quantityAvailable", Kind::ReadOnly),
    ],
    required: &["locationId"],
};

const ORDER_LINES: Sublist = Sublist {
    name: "item",
    keys: &["line"],
    fields: &[
        ("line", Kind::Integer),
        ("item", Kind::Record("inventoryItem")),
        ("quantity", Kind::Number),
        ("rate", Kind::Number),
        ("amount", Kind::Number),
        ("description", Kind::Text(4_000)),
        ("price", Kind::Choice),
        ("location", Kind::Record("location")),
        ("taxCode", Kind::Choice),
        ("isClosed", Kind::Boolean),
    ],
    required: &["item"],
};

const ADJUSTED: Sublist = Sublist {
    name: "inventory",
    keys: &["line"],
    fields: &[
        ("line", Kind::Integer),
        ("item", Kind::Record("inventoryItem")),
        ("location", Kind::Record("location")),
        ("adjustQtyBy", Kind::Number),
        ("unitCost", Kind::Number),
        ("memo", Kind::Text(4_000)),
        ("description", Kind::Text(4_000)),
        ("units", Kind::Choice),
        ("quantityOnHand", Kind::ReadOnly),
        ("newQuantity", Kind::ReadOnly),
    ],
    required: &["item", "location", "adjustQtyBy"],
};

const NAMED: &[(&str, Kind)] = &[("name", Kind::Text(255)), ("isInactive", Kind::Boolean)];

const fn named(name: &'static str) -> Type {
    Type {
        name,
        fields: NAMED,
        required: &["name"],
        sublists: &[],
        custom_prefix: "custrecord_",
        writable: false,
    }
}

/// Every record type.
pub(crate) static TYPES: &[Type] = &[
    Type {
        name: "inventoryItem",
        fields: ITEM_FIELDS,
        required: &["itemId"],
        sublists: &[PRICE, LOCATIONS],
        custom_prefix: "custitem",
        writable: true,
    },
    Type {
        name: "nonInventorySaleItem",
        fields: ITEM_FIELDS,
        required: &["itemId"],
        sublists: &[PRICE],
        custom_prefix: "custitem",
        writable: true,
    },
    Type {
        name: "salesOrder",
        fields: &[
            ("tranId", Kind::Text(45)),
            ("entity", Kind::Record("customer")),
            ("tranDate", Kind::Date),
            ("shipDate", Kind::Date),
            ("otherRefNum", Kind::Text(45)),
            ("memo", Kind::Text(999)),
            ("email", Kind::Text(254)),
            ("currency", Kind::Record("currency")),
            ("exchangeRate", Kind::Number),
            ("orderStatus", Kind::Choice),
            ("status", Kind::ReadOnly),
            ("location", Kind::Record("location")),
            ("subsidiary", Kind::Record("subsidiary")),
            ("class", Kind::Record("classification")),
            ("department", Kind::Record("department")),
            ("shippingAddress", Kind::Address),
            ("billingAddress", Kind::Address),
            ("shipAddress", Kind::ReadOnly),
            ("total", Kind::ReadOnly),
            ("subtotal", Kind::ReadOnly),
        ],
        required: &["entity"],
        sublists: &[ORDER_LINES],
        custom_prefix: "custbody",
        writable: true,
    },
    Type {
        name: "inventoryAdjustment",
        fields: &[
            ("tranId", Kind::Text(45)),
            ("account", Kind::Choice),
            ("adjLocation", Kind::Record("location")),
            ("tranDate", Kind::Date),
            ("memo", Kind::Text(999)),
            ("subsidiary", Kind::Record("subsidiary")),
            ("customer", Kind::Record("customer")),
            ("class", Kind::Record("classification")),
            ("department", Kind::Record("department")),
        ],
        required: &["account"],
        sublists: &[ADJUSTED],
        custom_prefix: "custbody",
        writable: true,
    },
    Type {
        name: "customer",
        fields: &[
            ("entityId", Kind::Text(83)),
            ("companyName", Kind::Text(83)),
            ("firstName", Kind::Text(32)),
            ("lastName", Kind::Text(32)),
            ("email", Kind::Text(254)),
            ("phone", Kind::Text(32)),
            ("isPerson", Kind::Boolean),
            ("isInactive", Kind::Boolean),
            ("subsidiary", Kind::Record("subsidiary")),
            ("currency", Kind::Record("currency")),
            ("comments", Kind::Text(4_000)),
        ],
        required: &[],
        sublists: &[],
        custom_prefix: "custentity",
        writable: true,
    },
    named("location"),
    named("subsidiary"),
    named("classification"),
    named("department"),
    named("priceLevel"),
    Type {
        name: "currency",
        fields: &[("name", Kind::Text(255)), ("symbol", Kind::Text(3)), ("isInactive", Kind::Boolean)],
        required: &["name"],
        sublists: &[],
        custom_prefix: "custrecord_",
        writable: false,
    },
];
