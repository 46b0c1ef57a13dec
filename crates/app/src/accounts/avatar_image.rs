//! Pictures that people send: looked at before they are decoded, and never kept as they came. What is kept is drawn anew
//! from the pixels, so that nothing else which a file may hold (places, scripts, other files) is ever handed out.

use std::io::Cursor;

use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits,
    codecs::{jpeg::JpegEncoder, png::PngEncoder},
};

/// Pixels that a picture may have: more than telephones take.
pub const MAX_PIXELS: u64 = 50_000_000;
/// The longer side of what is kept.
const KEPT_SIDE: u32 = 512;
/// The longer side of what is kept of pictures that do not shrink: noise.
const SMALL_SIDE: u32 = 256;
/// What a decoder may take, of which the pixels are the most.
const MAX_DECODED_BYTES: u64 = 256 * 1024 * 1024;
/// What the ledger keeps of one.
const MAX_KEPT_BYTES: usize = 1024 * 1024;
const JPEG_QUALITY: u8 = 88;

/// Why a file is no picture of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidImage {
    /// It begins like none of the three formats.
    #[error("send a PNG, JPEG or WebP image")]
    UnknownFormat,
    /// It has more pixels than are decoded.
    #[error("use an image of at most {} megapixels", MAX_PIXELS / 1_000_000)]
    TooManyPixels,
    /// It breaks off, or is damaged.
    #[error("the image is damaged; save it again, or send another one")]
    Damaged,
}

impl InvalidImage {
    /// The stable code of this reason.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownFormat => "image_format_unknown",
            Self::TooManyPixels => "image_too_many_pixels",
            Self::Damaged => "image_damaged",
        }
    }
}

/// A picture as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeptImage {
    /// `image/png` where something is transparent, else `image/jpeg`.
    pub(super) content_type: &'static str,
    pub(super) bytes: Vec<u8>,
}

/// Draws a picture anew, at most 512 pixels wide and high. Takes a while: not for the runtime's threads.
pub(super) fn redraw(file: &[u8]) -> Result<KeptImage, InvalidImage> {
    let image = decode(file)?;
    for side in [KEPT_SIDE, SMALL_SIDE] {
        let kept = encode(shrink(&image, side))?;
        if kept.bytes.len() <= MAX_KEPT_BYTES {
            return Ok(kept);
        }
    }
    Err(InvalidImage::Damaged)
}

fn decode(file: &[u8]) -> Result<DynamicImage, InvalidImage> {
    let format = image::guess_format(file).map_err(|_| InvalidImage::UnknownFormat)?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP) {
        return Err(InvalidImage::UnknownFormat);
    }
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    // Reads no further than to where the size stands.
    let mut decoder = reader.into_decoder().map_err(|_| InvalidImage::Damaged)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_DECODED_BYTES {
        return Err(InvalidImage::TooManyPixels);
    }
    let orientation = decoder.orientation().ok();
    let mut image = DynamicImage::from_decoder(decoder).map_err(|_| InvalidImage::Damaged)?;
    if let Some(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    Ok(image)
}

fn shrink(image: &DynamicImage, side: u32) -> DynamicImage {
    if image.width() <= side && image.height() <= side {
        image.clone()
    } else {
        image.thumbnail(side, side)
    }
}

fn encode(image: DynamicImage) -> Result<KeptImage, InvalidImage> {
    let mut bytes = Vec::new();
    let pixels = image.into_rgba8();
    let (width, height) = pixels.dimensions();
    let is_opaque = pixels.pixels().all(|pixel| pixel.0[3] == u8::MAX);
    let written = if is_opaque {
        let pixels = DynamicImage::ImageRgba8(pixels).into_rgb8();
        JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).write_image(
            &pixels,
            width,
            height,
            ExtendedColorType::Rgb8,
        )
    } else {
        PngEncoder::new(&mut bytes).write_image(&pixels, width, height, ExtendedColorType::Rgba8)
    };
    written.map_err(|_| InvalidImage::Damaged)?;
    Ok(KeptImage {
        content_type: if is_opaque { "image/jpeg" } else { "image/png" },
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    fn size(kept: &KeptImage) -> (u32, u32) {
        let image = image::load_from_memory(&kept.bytes).unwrap();
        (image.width(), image.height())
    }

    /// Every pixel another one, as in a picture that nothing shrinks.
    fn noise(side: u32) -> DynamicImage {
        let mut state = 1_u32;
        DynamicImage::ImageRgba8(image::RgbaImage::from_fn(side, side, |_, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            image::Rgba((state ^ (state >> 15)).to_be_bytes())
        }))
    }

    #[test]
    fn pictures_come_out_small() {
        let wide = DynamicImage::new_rgb8(1200, 600);
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let kept = redraw(&file(&wide, format)).unwrap();
            assert_eq!(
                (kept.content_type, size(&kept)),
                ("image/jpeg", (512, 256)),
                "{format:?}"
            );
        }
        let kept = redraw(&file(&DynamicImage::new_rgba8(3, 2), ImageFormat::Png)).unwrap();
        assert_eq!(
            (kept.content_type, size(&kept)),
            ("image/png", (3, 2)),
            "transparent, and as small as it was"
        );
        let kept = redraw(&file(&noise(600), ImageFormat::Png)).unwrap();
        assert!(kept.bytes.len() <= MAX_KEPT_BYTES);
    }

    #[test]
    fn what_hides_in_a_file_stays_behind() {
        let mut polyglot = file(&DynamicImage::new_rgb8(8, 8), ImageFormat::Png);
        polyglot.extend_from_slice(b"<script>alert(1)</script>PK\x05\x06");
        let kept = redraw(&polyglot).unwrap();
        assert!(!kept.bytes.windows(7).any(|window| window == b"<script"));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for (file, reason) in [
            (&b""[..], InvalidImage::UnknownFormat),
            (
                b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
                InvalidImage::UnknownFormat,
            ),
            (b"GIF89a\x01\x00\x01\x00", InvalidImage::UnknownFormat),
            (b"\x89PNG\r\n\x1a\n", InvalidImage::Damaged),
            (b"RIFF\x10\x00\x00\x00WEBPVP8 ", InvalidImage::Damaged),
            (b"\xff\xd8\xff\xe0\x00\x10JFIF", InvalidImage::Damaged),
        ] {
            assert_eq!(redraw(file), Err(reason), "{file:?}");
        }
        let whole = file(&noise(64), ImageFormat::Png);
        assert_eq!(redraw(&whole[..whole.len() / 2]), Err(InvalidImage::Damaged));
    }

    /// A small file that says to be enormous: believed, and not decoded.
    #[test]
    fn bombs_are_not_lit() {
        let mut bomb = file(&DynamicImage::new_luma8(1, 1), ImageFormat::Png);
        bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let crc = crc32(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(redraw(&bomb), Err(InvalidImage::TooManyPixels));
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
            })
        })
    }
}
