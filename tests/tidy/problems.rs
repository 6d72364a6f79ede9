//! The page that every problem points to.

use super::{assert_tidy, tree};
use anyhow::Result;
use domain::fault::Code;

const PAGE: &str = "docs/problems.md";

#[test]
fn every_problem_code_has_its_section_on_the_page_of_problems() -> Result<()> {
    let page = tree::read(PAGE)?;
    let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let words: Vec<&str> = Code::ALL.iter().map(|code| code.word()).collect();
    let mut findings = Vec::new();
    for word in words.iter().filter(|word| !sections.contains(word)) {
        findings.push(format!("{PAGE}: add the section ## {word}"));
    }
    for section in sections.iter().filter(|section| !words.contains(section)) {
        findings.push(format!("{PAGE}: no problem has the code {section}"));
    }
    assert_tidy("A problem's `type` leads to a section that explains it.", &findings);
    Ok(())
}
