use super::*;
use proptest::prelude::*;
use pulp::Scalar;

/// Runs an expression on every instruction set that this CPU has, the portable one included.
macro_rules! on_every_arch {
    ($op:expr) => {{
        let mut results = vec![Simd::vectorize(Scalar, $op)];
        results.push(Arch::new().dispatch($op));
        #[cfg(target_arch = "x86_64")]
        if let Some(v3) = pulp::x86::V3::try_new() {
            results.push(Simd::vectorize(v3, $op));
        }
        results
    }};
}

#[derive(Clone, Copy)]
struct Everything<'a> {
    rows: &'a [f32],
    x: &'a [f32],
}

/// What each kernel gives, in one list.
impl WithSimd for Everything<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self { rows, x } = self;
        let y = &rows[..x.len()];
        let mut results = vec![dot(simd, x, y)];
        let mut out = y.to_vec();
        axpy(simd, 0.5, x, &mut out);
        results.extend(&out);
        xpay(simd, x, -2.0, &mut out);
        results.extend(&out);
        scale_add(simd, 0.25, &mut out, 3.0, x);
        results.extend(&out);
        let mut other = x.to_vec();
        step_pair(simd, 0.9, 0.1, &mut out, &mut other);
        results.extend(out.iter().chain(&other));
        weighted_sum(simd, rows, x, &mut out, |i, dot| (i + 1) as f32 * dot);
        results.extend(&out);
        let matrix: Vec<f32> =
            (0..x.len() * x.len()).map(|i| ((i / x.len()) * (i % x.len())) as f32 * 1e-3).collect();
        symmetric_times(simd, &matrix, x, &mut out);
        results.extend(&out);
        results
    }
}

/// The same, written plainly in double precision.
fn plainly(rows: &[f32], x: &[f32]) -> Vec<f64> {
    let n = x.len();
    let x: Vec<f64> = x.iter().copied().map(f64::from).collect();
    let rows: Vec<Vec<f64>> =
        rows.chunks(n).map(|row| row.iter().copied().map(f64::from).collect()).collect();
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut results = vec![product(&x, &rows[0])];
    let mut out: Vec<f64> = rows[0].iter().zip(&x).map(|(y, x)| y + 0.5 * x).collect();
    results.extend(&out);
    out.iter_mut().zip(&x).for_each(|(y, x)| *y = x - 2.0 * *y);
    results.extend(&out);
    out.iter_mut().zip(&x).for_each(|(y, x)| *y = 0.25 * *y + 3.0 * x);
    results.extend(&out);
    let other: Vec<f64> = out.iter().zip(&x).map(|(p, q)| 0.9 * q + 0.1 * p).collect();
    out.iter_mut().zip(&x).for_each(|(p, q)| *p = 0.9 * *p + 0.1 * q);
    results.extend(out.iter().chain(&other));
    for (i, row) in rows.iter().enumerate() {
        let weight = (i + 1) as f64 * product(row, &x);
        out.iter_mut().zip(row).for_each(|(out, row)| *out += weight * row);
    }
    results.extend(&out);
    results.extend((0..n).map(|i| (0..n).map(|j| (i * j) as f64 * 1e-3 * x[j]).sum::<f64>()));
    results
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_instruction_set_gives_the_plain_result(
        registers in 1usize..10,
        n_rows in 1usize..20,
        values in prop::collection::vec(-1.0f32..1.0, 20 * 10 * LANES),
        x in prop::collection::vec(-1.0f32..1.0, 10 * LANES),
    ) {
        let stride = registers * LANES;
        let (rows, x) = (&values[..n_rows * stride], &x[..stride]);
        let expected = plainly(rows, x);
        let largest = expected.iter().fold(1.0f64, |most, value| most.max(value.abs()));
        for found in on_every_arch!(Everything { rows, x }) {
            prop_assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert!((f64::from(*found) - expected).abs() < 1e-4 * largest, "{} is not {}", found, expected);
            }
        }
    }
}

#[test]
fn padding_is_zero_and_comes_off_again() {
    let padded = Padded::from_rows(3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!((padded.stride(), padded.rows()), (LANES, 2));
    assert_eq!(padded.row(1)[..4], [4.0, 5.0, 6.0, 0.0]);
    assert_eq!(padded.to_rows(3), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn scores_of_a_table_are_its_products_whatever_its_width() {
    for dim in [1, 7, 16, 33] {
        let table = Factors::from_values(dim, (0..dim * 3).map(|i| i as f32).collect()).unwrap();
        let vector: Vec<f32> = (0..dim).map(|i| 1.0 - i as f32).collect();
        let mut scores = [0.0; 3];
        score(&vector, &table, &mut scores);
        let expected =
            [0, 1, 2].map(|row| table.row(row).iter().zip(&vector).map(|(a, b)| a * b).sum::<f32>());
        assert_eq!(scores, expected, "width {dim}: whole numbers add up exactly");
    }
}
