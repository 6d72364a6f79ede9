//! Words that appear in tables, requests and answers, each written once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every word of this kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands in tables, requests and answers.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// The value that this word stands for, if it is one of them.
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// A platform that we keep records equal with.
    Platform {
        /// Shopify, through its Admin GraphQL API.
        Shopify = "shopify",
        /// NetSuite, through SuiteTalk REST and SuiteQL.
        Netsuite = "netsuite",
        /// HubSpot, through its CRM API.
        Hubspot = "hubspot",
        /// An n8n server: its workflows and executions, and its data tables as a side of syncs.
        N8n = "n8n",
        /// The user's own tables in the Supabase project that Syncline lives in.
        Supabase = "supabase",
    }
}

words! {
    /// What kind of thing an item is.
    ItemType {
        /// A product with its variants.
        Product = "product",
        /// The stock of one variant, by location.
        Inventory = "inventory",
        /// A customer's order.
        Order = "order",
        /// A customer or contact.
        Customer = "customer",
    }
}

words! {
    /// How an item of the sync list is looked at.
    SyncMode {
        /// Compare only what changed since both sides last agreed.
        Delta = "delta",
        /// Read and compare both sides. Nothing is written where they are equal.
        Full = "full",
    }
}

words! {
    /// Why a run took place, as its history shows it.
    SyncType {
        /// A person asked for these items.
        Manual = "manual",
        /// A person asked for everything that changed.
        Delta = "delta",
        /// A person asked for a complete comparison.
        Full = "full",
        /// The clock asked.
        Scheduled = "scheduled",
        /// An n8n server's workflows were read.
        Workflows = "workflows",
        /// An n8n server's executions were read.
        Executions = "executions",
    }
}

words! {
    /// How a run stands, or how it ended.
    RunStatus {
        /// At work, or waiting to be continued.
        Running = "running",
        /// Every record ended well.
        Completed = "completed",
        /// Some records failed, were held or are in conflict; the others ended well.
        PartialSuccess = "partial_success",
        /// Nothing could be done; the reason says why.
        Failed = "failed",
        /// Cut off before its end; another run took over what was left.
        Interrupted = "interrupted",
        /// Stopped by a person.
        Cancelled = "cancelled",
    }
}

words! {
    /// Which way a saved search looks.
    Direction {
        /// From NetSuite to Shopify.
        NetsuiteToShopify = "netsuite-to-shopify",
        /// From Shopify to NetSuite.
        ShopifyToNetsuite = "shopify-to-netsuite",
        /// Both ways.
        Bidirectional = "bidirectional",
    }
}

words! {
    /// Where an execution of an n8n workflow stands, in n8n's own eight words.
    ExecutionWord {
        /// Queued: n8n runs no more at a time.
        New = "new",
        /// At work.
        Running = "running",
        /// Paused until a time or an event.
        Waiting = "waiting",
        /// Ended well.
        Success = "success",
        /// Ended with an error.
        Error = "error",
        /// Stopped by a person, or by the workflow's own time limit.
        Canceled = "canceled",
        /// Cut off with its server.
        Crashed = "crashed",
        /// n8n does not say.
        Unknown = "unknown",
    }
}

words! {
    /// Where an execution stands, in the four words that people are shown.
    ExecutionStatus {
        /// It ended well.
        Success = "success",
        /// It ended badly.
        Failure = "failure",
        /// It has not ended.
        Running = "running",
        /// It was stopped.
        Cancelled = "cancelled",
    }
}

impl ExecutionWord {
    /// The one table from n8n's words to those that people are shown. What n8n cannot say is neither: nobody may take it
    /// for a success, and nobody is called for it.
    pub const fn status(self) -> ExecutionStatus {
        match self {
            Self::New | Self::Running | Self::Waiting => ExecutionStatus::Running,
            Self::Success => ExecutionStatus::Success,
            Self::Error | Self::Crashed => ExecutionStatus::Failure,
            Self::Canceled | Self::Unknown => ExecutionStatus::Cancelled,
        }
    }
}

words! {
    /// What a workflow brings into the CMDB.
    WorkflowType {
        /// Virtual private clouds.
        Vpc = "vpc",
        /// Subnets.
        Subnet = "subnet",
        /// Transit gateways.
        TransitGateway = "transit_gateway",
        /// NAT gateways.
        NatGateway = "nat_gateway",
        /// VPNs.
        Vpn = "vpn",
    }
}

words! {
    /// Where it brings them from.
    Provider {
        /// Amazon Web Services.
        Aws = "aws",
        /// Microsoft Azure.
        Azure = "azure",
        /// Google Cloud.
        Gcp = "gcp",
        /// Alibaba Cloud.
        Ali = "ali",
        /// Oracle Cloud Infrastructure.
        Oci = "oci",
        /// Huawei Cloud.
        Huawei = "huawei",
        /// Anything else.
        Others = "others",
    }
}
