//! Pictures that everybody may see: kept in fixed sizes, each under an address whose content never changes.

use super::ids::PictureId;
use serde::{Deserialize, Serialize};

/// Widths in which a picture is kept; none is wider than the original.
pub const WIDTHS: [u32; 3] = [320, 640, 1280];

/// A picture as it was uploaded, upright, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    pub id: PictureId,
    pub width: u32,
    pub height: u32,
}

/// One of the sizes in which a picture is kept, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Picture {
    /// The sizes in which this picture is kept, smallest first; at least one.
    pub fn sizes(&self) -> Vec<Size> {
        let fitting = WIDTHS.iter().copied().filter(|w| *w < self.width);
        let largest = self.width.clamp(1, WIDTHS[2]);
        fitting.filter(|w| *w < largest).chain([largest]).map(|width| self.at(width)).collect()
    }

    fn at(&self, width: u32) -> Size {
        let height = u64::from(self.height) * u64::from(width) / u64::from(self.width.max(1));
        Size { width, height: u32::try_from(height).unwrap_or(u32::MAX).max(1) }
    }

    /// Where a size of it is kept.
    pub fn key(&self, size: Size) -> String {
        format!("pictures/{}/{}.jpg", self.id, size.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widths(width: u32, height: u32) -> Vec<(u32, u32)> {
        let picture = Picture { id: PictureId::named(&["x"]), width, height };
        picture.sizes().iter().map(|s| (s.width, s.height)).collect()
    }

    #[test]
    fn no_size_is_wider_than_the_original_and_the_shape_stays() {
        assert_eq!(widths(4000, 3000), [(320, 240), (640, 480), (1280, 960)]);
        assert_eq!(widths(1000, 500), [(320, 160), (640, 320), (1000, 500)]);
        assert_eq!(widths(320, 320), [(320, 320)]);
        assert_eq!(widths(9, 1), [(9, 1)]);
    }
}
