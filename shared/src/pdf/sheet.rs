//! Pages of A4 that fill from top to bottom. Distances are points, measured from the upper left corner.

use super::font::{Face, encode};
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

pub const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 842.0;
/// Space that stays free at the left and the right, and above the foot.
pub const MARGIN: f32 = 48.0;
const FOOT: f32 = 64.0;
/// Most pages of one document: the largest order that a request can hold stays far below.
const MOST_PAGES: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Colour(pub f32, pub f32, pub f32);

pub const INK: Colour = Colour(0.13, 0.15, 0.16);
pub const GREY: Colour = Colour(0.42, 0.45, 0.47);
pub const LINE: Colour = Colour(0.85, 0.87, 0.87);
pub const GREEN: Colour = Colour(0.06, 0.42, 0.31);
pub const PALE: Colour = Colour(0.93, 0.97, 0.95);
pub const WHITE: Colour = Colour(1.0, 1.0, 1.0);

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub face: Face,
    pub size: f32,
    pub colour: Colour,
}

pub const fn style(face: Face, size: f32, colour: Colour) -> Style {
    Style { face, size, colour }
}

/// A document that is being written; `y` is where the next thing goes.
pub struct Sheets {
    done: Vec<Content>,
    page: Content,
    pub y: f32,
}

impl Sheets {
    pub fn new() -> Self {
        Self { done: Vec::new(), page: Content::new(), y: 0.0 }
    }

    /// Starts another page if less than `height` is left on this one; says whether it did.
    pub fn make_room(&mut self, height: f32) -> bool {
        let full = self.y + height > HEIGHT - FOOT && self.done.len() + 1 < MOST_PAGES;
        if full {
            self.done.push(std::mem::replace(&mut self.page, Content::new()));
            self.y = MARGIN;
        }
        full
    }

    /// One line of text whose left end is at `x`.
    pub fn text(&mut self, x: f32, style: Style, text: &str) {
        let baseline = self.y;
        write(&mut self.page, x, baseline, style, &encode(text));
    }

    /// One line of text whose right end is at `x`.
    pub fn text_before(&mut self, x: f32, style: Style, text: &str) {
        let encoded = encode(text);
        let left = x - style.face.width(&encoded, style.size);
        let baseline = self.y;
        write(&mut self.page, left, baseline, style, &encoded);
    }

    /// A text that breaks into lines of at most `width`, each `leading` below the last one.
    pub fn paragraph(&mut self, x: f32, width: f32, leading: f32, style: Style, text: &str) {
        for (at, line) in lines(text, width, style).iter().enumerate() {
            if at > 0 {
                self.y += leading;
                self.make_room(leading);
            }
            let baseline = self.y;
            write(&mut self.page, x, baseline, style, line);
        }
    }

    /// A filled rectangle from `top` down.
    pub fn fill(&mut self, x: f32, top: f32, width: f32, height: f32, colour: Colour) {
        self.page.set_fill_rgb(colour.0, colour.1, colour.2).rect(x, HEIGHT - top - height, width, height).fill_nonzero();
    }

    /// A thin line across the page.
    pub fn rule(&mut self) {
        self.fill(MARGIN, self.y, WIDTH - 2.0 * MARGIN, 0.7, LINE);
    }

    /// The file. Every page gets `foot` and its number.
    pub fn finish(mut self, title: &str, foot: &str) -> Vec<u8> {
        self.done.push(self.page);
        let count = self.done.len();
        let mut next = 0;
        let mut fresh = || {
            next += 1;
            Ref::new(next)
        };
        let (catalog, tree, info) = (fresh(), fresh(), fresh());
        let fonts = Face::ALL.map(|face| (face, fresh()));
        let pages: Vec<(Ref, Ref)> = (0..count).map(|_| (fresh(), fresh())).collect();
        let mut pdf = Pdf::new();
        pdf.catalog(catalog).pages(tree).lang(TextStr("id-ID"));
        pdf.document_info(info).title(TextStr(title)).producer(TextStr("Qurban Tanpa Batas"));
        pdf.pages(tree).kids(pages.iter().map(|(page, _)| *page)).count(i32::try_from(count).unwrap_or(i32::MAX));
        for (face, id) in fonts {
            pdf.type1_font(id).base_font(Name(face.base())).encoding_predefined(Name(b"WinAnsiEncoding"));
        }
        for (number, ((id, stream), mut content)) in pages.into_iter().zip(self.done).enumerate() {
            write_foot(&mut content, foot, number + 1, count);
            let mut page = pdf.page(id);
            page.parent(tree).media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT)).contents(stream);
            let mut resources = page.resources();
            let mut named = resources.fonts();
            for (face, font) in fonts {
                named.pair(Name(face.resource()), font);
            }
            named.finish();
            resources.finish();
            page.finish();
            pdf.stream(stream, content.finish().as_slice());
        }
        pdf.finish()
    }
}

fn write_foot(page: &mut Content, foot: &str, number: usize, count: usize) {
    let small = style(Face::Regular, 8.0, GREY);
    let right = encode(&format!("Halaman {number} dari {count}"));
    let baseline = HEIGHT - 36.0;
    write(page, MARGIN, baseline, small, &encode(foot));
    write(page, WIDTH - MARGIN - small.face.width(&right, small.size), baseline, small, &right);
}

fn write(page: &mut Content, x: f32, baseline: f32, style: Style, encoded: &[u8]) {
    let Colour(red, green, blue) = style.colour;
    page.begin_text().set_fill_rgb(red, green, blue).set_font(Name(style.face.resource()), style.size);
    page.next_line(x, HEIGHT - baseline).show(Str(encoded)).end_text();
}

/// The text in lines that fit; a word that is wider than a line is broken.
fn lines(text: &str, width: f32, style: Style) -> Vec<Vec<u8>> {
    let fits = |line: &[u8]| style.face.width(line, style.size) <= width;
    let (mut lines, mut line): (Vec<Vec<u8>>, Vec<u8>) = (Vec::new(), Vec::new());
    for word in encode(text).split(|b| *b == b' ') {
        let joined = if line.is_empty() { word.to_vec() } else { [&line[..], b" ", word].concat() };
        if fits(&joined) {
            line = joined;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for byte in word {
            line.push(*byte);
            if !fits(&line) && line.len() > 1 {
                line.pop();
                lines.push(std::mem::replace(&mut line, vec![*byte]));
            }
        }
    }
    lines.push(line);
    lines
}
