//! The Open Inference Protocol over HTTP, with binary tensors.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use hyper::body::Incoming;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, SeqAccess, Visitor},
};
use serde_json::json;

use super::{
    Asked, body,
    encode::Json,
    input::{self, null_is_absent},
    problem::Problem,
    reply::Reply,
};
use crate::{
    service::{Service, types::ServeError},
    telemetry::Code,
    transport::{
        oip::{self, Datatype, Input, Scores},
        text::Text,
    },
};

/// Header with the length of the JSON in front of binary tensors.
const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

#[derive(Deserialize)]
struct InferInput<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(default, deserialize_with = "null_is_absent")]
    parameters: RequestParameters,
    #[serde(borrow, deserialize_with = "null_is_absent")]
    inputs: Vec<TensorInput<'a>>,
    #[serde(borrow, default, deserialize_with = "null_is_absent")]
    outputs: Vec<OutputInput<'a>>,
}

#[derive(Default, Deserialize)]
struct RequestParameters {
    #[serde(default, deserialize_with = "null_is_absent")]
    binary_data_output: bool,
}

#[derive(Deserialize)]
struct TensorInput<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    datatype: Text<'a>,
    shape: Vec<i64>,
    #[serde(default, deserialize_with = "null_is_absent")]
    parameters: TensorParameters,
    #[serde(borrow)]
    data: Option<Elements<'a>>,
}

#[derive(Default, Deserialize)]
struct TensorParameters {
    binary_data_size: Option<usize>,
}

#[derive(Deserialize)]
struct OutputInput<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(default, deserialize_with = "null_is_absent")]
    parameters: OutputParameters,
}

#[derive(Default, Deserialize)]
struct OutputParameters {
    binary_data: Option<bool>,
}

/// Elements of a tensor in JSON, flat or nested. Numbers become ids in decimal.
struct Elements<'a> {
    ids: Vec<Text<'a>>,
    n_numbers: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut elements = Elements { ids: Vec::new(), n_numbers: 0 };
        Element(&mut elements).deserialize(deserializer)?;
        Ok(elements)
    }
}

/// Reads one element, or a list of elements.
struct Element<'v, 'a>(&'v mut Elements<'a>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for Element<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Element<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lists of ids, which are strings or whole numbers")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.0.ids.push(text.into());
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.ids.push(text.to_owned().into());
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.0.n_numbers += 1;
        self.0.ids.push(Text::number(number));
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.0.n_numbers += 1;
        self.0.ids.push(Text::number(number));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Element(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

impl Asked<'_> {
    pub(super) async fn infer(
        &self,
        name: &str,
        version: Option<&str>,
        body: Incoming,
    ) -> Result<Reply, Problem> {
        let context = self.call.context()?;
        let body = body::read(&self.parts.headers, body, &self.shared.limits).await?;
        let (text, mut raw) = split(&self.parts.headers, &body)?;
        let InferInput { id, parameters, inputs, outputs } = input::parse(text)?;
        oip::check_outputs(outputs.iter().map(|output| &*output.name))?;
        if version.is_some() {
            oip::model(&self.shared.service, name, version)?;
        }
        let requests = oip::requests(name, inputs.into_iter().map(|input| tensor(input, &mut raw)))?;
        if !raw.is_empty() {
            return Err(Problem::invalid(format!(
                "{} bytes follow the last binary tensor: remove them, or correct binary_data_size",
                raw.len()
            )));
        }
        let rows = match &requests[..] {
            [request] => vec![self.shared.service.score(request, &context).await?],
            requests => self.shared.service.score_batch(requests, &context).await?,
        };
        let wants = outputs.first().and_then(|output| output.parameters.binary_data);
        let answer = InferAnswer { name, id: id.as_deref(), scores: Scores::new(rows) };
        Ok(if wants.unwrap_or(parameters.binary_data_output) { answer.binary() } else { answer.json() })
    }
}

/// The JSON of a request, and the binary tensors after it.
fn split<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<(&'a str, &'a [u8]), Problem> {
    let Some(length) = headers.get(JSON_LENGTH) else {
        check_type(headers, &["application/json"])?;
        return Ok((input::text(body)?, &[]));
    };
    check_type(headers, &["application/json", "application/octet-stream"])?;
    let length = length.to_str().ok().and_then(|length| length.parse::<usize>().ok());
    let (json, raw) = length.and_then(|length| body.split_at_checked(length)).ok_or_else(|| {
        let size = body.len();
        Problem::invalid(format!(
            "header inference-header-content-length is invalid: send the length of the JSON, a number up to the body's {size} bytes"
        ))
    })?;
    Ok((input::text(json)?, raw))
}

/// Accepts a missing content type, because clients of this protocol often send none. Rejects a wrong one.
fn check_type(headers: &HeaderMap, taken: &[&str]) -> Result<(), Problem> {
    let Some(found) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let found = String::from_utf8_lossy(found.as_bytes());
    let essence = found.split(';').next().unwrap_or_default().trim();
    if taken.iter().any(|taken| taken.eq_ignore_ascii_case(essence)) {
        return Ok(());
    }
    let detail = format!("content-type is {found}: send {}", taken.join(" or "));
    Err(Problem::new(Code::UnsupportedMediaType, detail))
}

fn tensor<'a>(input: TensorInput<'a>, raw: &mut &'a [u8]) -> Result<Input<'a>, ServeError> {
    let TensorInput { name, datatype, shape, parameters, data } = input;
    let datatype = Datatype::parse(&datatype, &name)?;
    let ids = match (data, parameters.binary_data_size) {
        (Some(elements), None) => {
            let n_wrong = if datatype == Datatype::Bytes {
                elements.n_numbers
            } else {
                elements.ids.len() - elements.n_numbers
            };
            if n_wrong > 0 {
                let message = format!(
                    "input {:?} has elements that do not match its datatype: send strings for BYTES, whole numbers for the others",
                    &*name
                );
                return Err(ServeError::Invalid(message));
            }
            elements.ids
        }
        (None, Some(size)) => {
            let (own, rest) = raw.split_at_checked(size).ok_or_else(|| {
                ServeError::Invalid(format!(
                    "input {:?} has binary_data_size {size}, but the body ends earlier",
                    &*name
                ))
            })?;
            *raw = rest;
            datatype.decode(own, &name)?
        }
        _ => {
            let message = format!(
                "input {:?} must have its elements in one place: in data, or after the JSON with parameters.binary_data_size",
                &*name
            );
            return Err(ServeError::Invalid(message));
        }
    };
    Ok(Input { name, shape, ids })
}

/// An answer before it is written.
struct InferAnswer<'a> {
    name: &'a str,
    id: Option<&'a str>,
    scores: Scores,
}

impl InferAnswer<'_> {
    /// The JSON up to the member with the values.
    fn head(&self) -> Json {
        let [rows, columns] = self.scores.shape;
        let mut json = Json::with_capacity(256 + rows * columns * 12);
        json.raw("{\"model_name\":")
            .value(self.name)
            .raw(",\"model_version\":")
            .value(&*self.scores.artifact_digest);
        if let Some(id) = self.id {
            json.raw(",\"id\":").value(id);
        }
        json.raw(",\"outputs\":[{\"name\":\"scores\",\"datatype\":\"FP32\",\"shape\":[");
        json.value(&rows).raw(",").value(&columns).raw("]");
        json
    }

    fn json(&self) -> Reply {
        let mut json = self.head();
        json.raw(",\"data\":").scores(self.scores.values()).raw("}]}");
        Reply::json(json.into_bytes())
    }

    fn binary(&self) -> Reply {
        let raw = self.scores.raw();
        let mut json = self.head();
        json.raw(",\"parameters\":{\"binary_data_size\":").value(&raw.len()).raw("}}]}");
        let mut body = json.into_bytes();
        let length = body.len();
        body.extend_from_slice(&raw);
        let mut reply = Reply::new("application/octet-stream", body);
        reply.header(JSON_LENGTH, HeaderValue::from(length));
        reply
    }
}

pub(super) fn server() -> Reply {
    let version = env!("CARGO_PKG_VERSION");
    Reply::json(json!({ "name": oip::SERVER, "version": version, "extensions": oip::EXTENSIONS }).to_string())
}

pub(super) fn server_live() -> Reply {
    Reply::json("{\"live\":true}")
}

pub(super) fn server_ready(service: &Service) -> Reply {
    let ready = service.is_ready();
    let mut reply = Reply::json(json!({ "ready": ready }).to_string());
    if !ready {
        reply.status = http::StatusCode::SERVICE_UNAVAILABLE;
    }
    reply
}

pub(super) fn model(service: &Service, name: &str, version: Option<&str>) -> Result<Reply, Problem> {
    let model = oip::model(service, name, version)?;
    let tensor = |(name, datatype, shape): (&str, &str, [i64; 2])| json!({ "name": name, "datatype": datatype, "shape": shape });
    let metadata = json!({
        "name": &*model.objective,
        "versions": [&*model.artifact_digest],
        "platform": oip::platform(&model),
        "inputs": oip::INPUTS.map(tensor),
        "outputs": oip::OUTPUTS.map(tensor),
    });
    Ok(Reply::json(metadata.to_string()))
}

pub(super) fn model_ready(service: &Service, name: &str, version: Option<&str>) -> Result<Reply, Problem> {
    oip::model(service, name, version)?;
    Ok(Reply::json(json!({ "name": name, "ready": true }).to_string()))
}
