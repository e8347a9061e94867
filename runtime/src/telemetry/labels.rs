//! Label values are enums, so a request can never create a time series.

/// Declares an enum whose variants are label values.
macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The value in metrics and logs.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

labels! {
    /// The method of a request, and the listener that accepted it.
    Method {
        /// `POST /v1/objectives/{objective}/score`.
        HttpScore = "http/score",
        /// `POST /v1/objectives/{objective}/top-k`.
        HttpTopK = "http/top-k",
        /// `POST /v1/surfaces/{surface}/page`.
        HttpPage = "http/page",
        /// `POST /v2/models/{model}/infer`.
        HttpInfer = "http/infer",
        /// The other routes of the Open Inference Protocol.
        HttpOip = "http/oip",
        /// `/livez`, `/readyz`, `/status`, `/metrics`, `/v1/openapi.json`.
        HttpOperations = "http/operations",
        /// `/preview/…`.
        HttpPreview = "http/preview",
        /// A path without a route.
        HttpUnknown = "http/unknown",
        /// `marquee.v1.Ranker/Score`.
        GrpcScore = "grpc/score",
        /// `marquee.v1.Ranker/TopK`.
        GrpcTopK = "grpc/top-k",
        /// `marquee.v1.Ranker/Titles`.
        GrpcTitles = "grpc/titles",
        /// `marquee.v1.Ranker/Query`.
        GrpcQuery = "grpc/query",
        /// `marquee.v1.Ranker/KeepSlices`.
        GrpcKeepSlices = "grpc/keep-slices",
        /// `marquee.v1.Pages/GetPage`.
        GrpcPage = "grpc/page",
        /// `inference.GRPCInferenceService/ModelInfer`.
        GrpcInfer = "grpc/infer",
        /// The other calls of the Open Inference Protocol.
        GrpcOip = "grpc/oip",
        /// No method.
        GrpcUnknown = "grpc/unknown",
    }
}

labels! {
    /// How a request ended. The words are those of [`crate::service::types::ServeError::reason`] and of the transports.
    Code {
        /// Answered.
        Ok = "Ok",
        /// The request is invalid.
        Invalid = "Invalid",
        /// No such objective, surface, title or route.
        NotFound = "NotFound",
        /// The route does not accept this HTTP method.
        MethodNotAllowed = "MethodNotAllowed",
        /// The body did not arrive in time.
        BodyTimeout = "BodyTimeout",
        /// The body is larger than the limit.
        TooLarge = "TooLarge",
        /// The route does not accept the body's content type.
        UnsupportedMediaType = "UnsupportedMediaType",
        /// Shed: too many requests are in flight.
        Shed = "Shed",
        /// The deadline passed.
        DeadlineExceeded = "DeadlineExceeded",
        /// The request names an artifact that is no longer served.
        Changed = "Changed",
        /// The server does not have what is asked for, such as an extension of the Open Inference Protocol.
        Unsupported = "Unsupported",
        /// Not loaded, or shutting down.
        NotReady = "NotReady",
        /// An error of this process.
        Internal = "Internal",
    }
}

labels! {
    /// The listener of a connection.
    Listener {
        /// HTTP/1.1 and HTTP/2.
        Http = "http",
        /// gRPC.
        Grpc = "grpc",
    }
}

labels! {
    /// Why the server closed a connection.
    CutReason {
        /// More connections than `--max-connections`.
        TooMany = "too_many",
        /// The headers of a request did not arrive within `--header-timeout`.
        SlowHeaders = "slow_headers",
        /// The client did not read the response within `--write-timeout`.
        SlowReader = "slow_reader",
        /// The TLS handshake failed or took too long.
        Tls = "tls",
        /// The connection was still in use when `--drain-timeout` ended.
        Drain = "drain",
    }
}
