//! Pictures from strangers: decided by content, decoded under limits, turned upright, and written anew in fixed
//! sizes, so that nothing of the upload but its pixels is kept.

use crate::domain::{
    ids::PictureId,
    picture::{Picture, Size},
};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, codecs::jpeg::JpegEncoder, imageops::FilterType, metadata::Orientation};
use std::io::Cursor;

/// Longest side that is decoded, in pixels.
const LONGEST: u32 = 8_000;
/// Memory that a decoder may take.
const MEMORY: u64 = 200 << 20;
const QUALITY: u8 = 82;
/// The smallest picture that makes sense, in pixels a side.
const SMALLEST: u32 = 16;

/// What was uploaded is no picture that is taken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAPicture {
    #[error("must be a JPEG, PNG or WebP picture")]
    Format,
    #[error("must be 16 to 8000 pixels wide and high")]
    Dimensions,
    #[error("is damaged")]
    Damaged,
}

/// A picture with its sizes as JPEG.
#[derive(Debug)]
pub struct Rendered {
    pub picture: Picture,
    pub sizes: Vec<(Size, Vec<u8>)>,
}

/// The picture under its id, in all its sizes.
pub fn render(id: PictureId, bytes: &[u8]) -> Result<Rendered, NotAPicture> {
    let decoded = decode(bytes)?;
    let picture = Picture { id, width: decoded.width(), height: decoded.height() };
    let sizes = picture.sizes().into_iter().map(|size| Ok((size, encode(&decoded, size)?)));
    Ok(Rendered { picture, sizes: sizes.collect::<Result<_, _>>()? })
}

/// Widest that a document is kept, in pixels: enough to read it.
const DOCUMENT: u32 = 1_600;

/// A document as one JPEG without anything but its pixels.
pub fn render_document(id: PictureId, bytes: &[u8]) -> Result<(Picture, Vec<u8>), NotAPicture> {
    let decoded = decode(bytes)?;
    let picture = Picture { id, width: decoded.width(), height: decoded.height() };
    let width = decoded.width().min(DOCUMENT);
    let height = u64::from(decoded.height()) * u64::from(width) / u64::from(decoded.width().max(1));
    let size = Size { width, height: u32::try_from(height).unwrap_or(u32::MAX).max(1) };
    Ok((picture, encode(&decoded, size)?))
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, NotAPicture> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| NotAPicture::Format)?;
    if !matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) {
        return Err(NotAPicture::Format);
    }
    // The decoder fills what is missing with grey; a file that breaks off is refused instead.
    if reader.format() == Some(ImageFormat::Jpeg) && !bytes.windows(2).any(|b| b == [0xff, 0xd9]) {
        return Err(NotAPicture::Damaged);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST);
    limits.max_image_height = Some(LONGEST);
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| NotAPicture::Damaged)?;
    let (width, height) = decoder.dimensions();
    if !(SMALLEST..=LONGEST).contains(&width) || !(SMALLEST..=LONGEST).contains(&height) {
        return Err(NotAPicture::Dimensions);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(|_| NotAPicture::Damaged)?;
    decoded.apply_orientation(orientation);
    Ok(decoded)
}

fn encode(decoded: &DynamicImage, size: Size) -> Result<Vec<u8>, NotAPicture> {
    let resized = decoded.resize_exact(size.width, size.height, FilterType::Lanczos3);
    let mut jpeg = Vec::new();
    on_white(&resized).write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, QUALITY)).map_err(|_| NotAPicture::Damaged)?;
    Ok(jpeg)
}

/// JPEG knows no transparency: what shows through is white.
fn on_white(picture: &DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return DynamicImage::ImageRgb8(picture.to_rgb8());
    }
    let rgba = picture.to_rgba8();
    let mut flat = image::RgbImage::new(rgba.width(), rgba.height());
    for (from, to) in rgba.pixels().zip(flat.pixels_mut()) {
        let alpha = u16::from(from[3]);
        for channel in 0..3 {
            let mixed = (u16::from(from[channel]) * alpha + 255 * (255 - alpha)) / 255;
            to[channel] = u8::try_from(mixed).unwrap_or(u8::MAX);
        }
    }
    DynamicImage::ImageRgb8(flat)
}
