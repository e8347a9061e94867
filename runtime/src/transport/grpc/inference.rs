//! The Open Inference Protocol over gRPC.

use tonic::{Request, Response, Status, async_trait};

use super::{
    GrpcServices,
    contract::inference::{
        InferTensorContents, ModelInferRequest, ModelInferResponse, ModelMetadataRequest,
        ModelMetadataResponse, ModelReadyRequest, ModelReadyResponse, ServerLiveRequest, ServerLiveResponse,
        ServerMetadataRequest, ServerMetadataResponse, ServerReadyRequest, ServerReadyResponse,
        grpc_inference_service_server::GrpcInferenceService, model_infer_request::InferInputTensor,
        model_infer_response::InferOutputTensor, model_metadata_response::TensorMetadata,
    },
};
use crate::{
    service::types::ServeError,
    telemetry::Method,
    transport::{
        oip::{self, Datatype, Input, Scores, datatype},
        text::Text,
    },
};

#[async_trait]
impl GrpcInferenceService for GrpcServices {
    async fn server_live(
        &self,
        request: Request<ServerLiveRequest>,
    ) -> Result<Response<ServerLiveResponse>, Status> {
        self.answer(Method::GrpcOip, request, |_, _| async { Ok(ServerLiveResponse { live: true }) }).await
    }

    async fn server_ready(
        &self,
        request: Request<ServerReadyRequest>,
    ) -> Result<Response<ServerReadyResponse>, Status> {
        let ready = self.0.service.is_ready();
        self.answer(Method::GrpcOip, request, |_, _| async move { Ok(ServerReadyResponse { ready }) }).await
    }

    async fn model_ready(
        &self,
        request: Request<ModelReadyRequest>,
    ) -> Result<Response<ModelReadyResponse>, Status> {
        self.answer(Method::GrpcOip, request, |message: ModelReadyRequest, _| async move {
            let ready = oip::is_model_ready(&self.0.service, &message.name, Some(&message.version))?;
            Ok(ModelReadyResponse { ready })
        })
        .await
    }

    async fn server_metadata(
        &self,
        request: Request<ServerMetadataRequest>,
    ) -> Result<Response<ServerMetadataResponse>, Status> {
        self.answer(Method::GrpcOip, request, |_, _| async {
            Ok(ServerMetadataResponse {
                name: oip::SERVER.into(),
                version: env!("CARGO_PKG_VERSION").into(),
                // Over gRPC, raw contents are part of the protocol and not an extension.
                extensions: Vec::new(),
            })
        })
        .await
    }

    async fn model_metadata(
        &self,
        request: Request<ModelMetadataRequest>,
    ) -> Result<Response<ModelMetadataResponse>, Status> {
        self.answer(Method::GrpcOip, request, |message: ModelMetadataRequest, _| async move {
            let model = oip::model(&self.0.service, &message.name, Some(&message.version))?;
            Ok(ModelMetadataResponse {
                name: model.objective.to_string(),
                versions: vec![model.artifact_digest.to_string()],
                platform: oip::platform(&model),
                inputs: oip::INPUTS.map(|(name, datatype, shape)| metadata(name, datatype, shape)).into(),
                outputs: oip::OUTPUTS.map(|(name, datatype, shape)| metadata(name, datatype, shape)).into(),
            })
        })
        .await
    }

    async fn model_infer(
        &self,
        request: Request<ModelInferRequest>,
    ) -> Result<Response<ModelInferResponse>, Status> {
        self.answer(Method::GrpcInfer, request, |message: ModelInferRequest, context| async move {
            oip::check_outputs(message.outputs.iter().map(|output| &*output.name))?;
            if !message.model_version.is_empty() {
                oip::model(&self.0.service, &message.model_name, Some(&message.model_version))?;
            }
            let raw = &message.raw_input_contents;
            if !raw.is_empty() && raw.len() != message.inputs.len() {
                let (found, wanted) = (raw.len(), message.inputs.len());
                return Err(ServeError::Invalid(format!(
                    "raw_input_contents has {found} entries for {wanted} inputs: send one entry for each input, or no entries"
                )));
            }
            let inputs = message.inputs.iter().enumerate();
            let inputs = inputs.map(|(at, input)| tensor(input, raw.get(at).map(|raw| &raw[..])));
            let requests = oip::requests(&message.model_name, inputs)?;
            let scores = Scores::new(self.0.service.score_batch(&requests, &context).await?);
            drop(requests);
            Ok(infer_response(message, &scores))
        })
        .await
    }
}

fn metadata(name: &str, datatype: &str, shape: [i64; 2]) -> TensorMetadata {
    TensorMetadata { name: name.into(), datatype: datatype.into(), shape: shape.into() }
}

/// Raw values if the request had raw values, otherwise typed ones.
fn infer_response(message: ModelInferRequest, scores: &Scores) -> ModelInferResponse {
    let typed = message.raw_input_contents.is_empty();
    let contents =
        typed.then(|| InferTensorContents { fp32_contents: scores.values().collect(), ..Default::default() });
    ModelInferResponse {
        model_name: message.model_name,
        model_version: scores.artifact_digest.to_string(),
        id: message.id,
        parameters: Default::default(),
        outputs: vec![InferOutputTensor {
            name: oip::SCORES.into(),
            datatype: "FP32".into(),
            shape: scores.shape.map(|size| size as i64).into(),
            parameters: Default::default(),
            contents,
        }],
        raw_output_contents: if typed { Vec::new() } else { vec![scores.raw().into()] },
    }
}

fn tensor<'a>(input: &'a InferInputTensor, raw: Option<&'a [u8]>) -> Result<Input<'a>, ServeError> {
    let name = &*input.name;
    let datatype = Datatype::parse(&input.datatype, name)?;
    let ids = match (raw, &input.contents) {
        (Some(raw), None) => datatype.decode(raw, name)?,
        (None, Some(contents)) => typed(datatype, contents, name)?,
        (None, None) => Vec::new(),
        (Some(_), Some(_)) => {
            return Err(ServeError::Invalid(format!(
                "input {name:?} has both contents and raw_input_contents: send one of them"
            )));
        }
    };
    Ok(Input { name: name.into(), shape: input.shape.clone(), ids })
}

/// Reads typed contents from the member that the protocol defines for the data type.
fn typed<'a>(
    datatype: Datatype,
    contents: &'a InferTensorContents,
    name: &str,
) -> Result<Vec<Text<'a>>, ServeError> {
    fn texts<'a, T: Into<i128> + Copy>(numbers: &[T]) -> Vec<Text<'a>> {
        numbers.iter().map(|number| Text::number(*number)).collect()
    }
    match datatype {
        Datatype::Bytes => contents
            .bytes_contents
            .iter()
            .enumerate()
            .map(|(at, bytes)| datatype::utf8(bytes, name, at))
            .collect(),
        Datatype::Signed(8) => Ok(texts(&contents.int64_contents)),
        Datatype::Signed(_) => Ok(texts(&contents.int_contents)),
        Datatype::Unsigned(8) => Ok(texts(&contents.uint64_contents)),
        Datatype::Unsigned(_) => Ok(texts(&contents.uint_contents)),
    }
}
