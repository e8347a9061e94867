//! Parts of the protocol, and of other servers' extensions of it, that this server does not have.

/// An extension that is not supported. `Display` says so, and what to use instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// The list of models.
    #[error("the model repository index is not supported: GET /status lists the models of this process")]
    Index,
    /// Loading and unloading.
    #[error(
        "loading and unloading models by request is not supported: change spec.artifact of the RankingModel instead"
    )]
    Load,
    /// The model configuration.
    #[error(
        "the model configuration extension is not supported: GET /v2/models/{{model}} and ModelMetadata describe a model"
    )]
    Config,
    /// Statistics of a model.
    #[error(
        "the statistics extension is not supported: GET /metrics has the numbers of each method and model"
    )]
    Statistics,
    /// System and CUDA shared memory.
    #[error("shared memory is not supported: send tensors inside the request")]
    SharedMemory,
    /// Trace settings.
    #[error(
        "the trace extension is not supported: send the header traceparent, and find the trace id in the log"
    )]
    Trace,
    /// Log settings.
    #[error("the logging extension is not supported: start the process with --log")]
    Logging,
    /// Streams of inferences.
    #[error(
        "streaming inference is not supported: send each request to POST /v2/models/{{model}}/infer or ModelInfer"
    )]
    Stream,
    /// Text generation.
    #[error(
        "text generation is not supported: models of this server score titles, at POST /v2/models/{{model}}/infer"
    )]
    Generate,
    /// Version 1 of the protocol.
    #[error("version 1 of the inference protocol is not supported: use POST /v2/models/{{model}}/infer")]
    FirstVersion,
}

impl Unsupported {
    /// The extension to which a path below `/v2` belongs.
    pub fn of_http(segments: &[&str]) -> Option<Self> {
        Some(match segments {
            ["models"] | ["repository", "index"] => Self::Index,
            ["repository", "models", _, "load" | "unload"] => Self::Load,
            ["systemsharedmemory" | "cudasharedmemory", ..] => Self::SharedMemory,
            ["trace", ..] => Self::Trace,
            ["logging", ..] => Self::Logging,
            ["models", _, "versions", _, rest @ ..] | ["models", _, rest @ ..] => match rest {
                ["config"] => Self::Config,
                ["stats"] => Self::Statistics,
                ["trace", ..] => Self::Trace,
                ["infer_stream"] => Self::Stream,
                ["generate" | "generate_stream"] => Self::Generate,
                ["load" | "unload"] => Self::Load,
                _ => return None,
            },
            _ => return None,
        })
    }

    /// The extension to which a method of the gRPC service belongs.
    pub fn of_grpc(method: &str) -> Option<Self> {
        Some(match method {
            "RepositoryIndex" => Self::Index,
            "RepositoryModelLoad" | "RepositoryModelUnload" => Self::Load,
            "ModelConfig" => Self::Config,
            "ModelStatistics" => Self::Statistics,
            "ModelStreamInfer" => Self::Stream,
            "TraceSetting" => Self::Trace,
            "LogSettings" => Self::Logging,
            _ if method.starts_with("SystemSharedMemory") || method.starts_with("CudaSharedMemory") => {
                Self::SharedMemory
            }
            _ => return None,
        })
    }
}
