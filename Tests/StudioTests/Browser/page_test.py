"""Clicks through the page of `lvae studio` in Chromium, as a person would, and says what is wrong.

    page_test.py LVAE RUNS PICTURES OUT

LVAE is the program, RUNS a folder of a run of training, PICTURES one with pictures and .latent files, OUT where screenshots go.
Needs playwright from PyPI and Debian's chromium. Exit status 0 if all is well; each claim that fails
is a line.
"""

import base64
import contextlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

program, runs, pictures, out = sys.argv[1:5]
out = Path(out)
out.mkdir(parents=True, exist_ok=True)
failures = []


def claim(text, holds):
    print(("ok   " if holds else "FAIL ") + text, flush=True)
    if not holds:
        failures.append(text)


@contextlib.contextmanager
def studio(*arguments):
    process = subprocess.Popen(
        [program, "studio", "--port", "0", *arguments], stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        claim("the server ends in good order", process.wait(timeout=20) == 0)


# What an accessibility checker looks at first: names, labels, identifiers, contrast of text.
CHECK = """() => {
  const problems = [], seen = new Set();
  const isShown = (e) => e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const name = (e) => (e.getAttribute('aria-label') || [...(e.labels || [])].map(l => l.textContent).join(' ')
    || (e.getAttribute('aria-labelledby') || '').split(' ').map(i => document.getElementById(i)?.textContent || '').join(' ')
    || e.textContent || e.title || '').trim();
  for (const e of document.querySelectorAll('[id]')) { if (seen.has(e.id)) problems.push('twice the id ' + e.id); seen.add(e.id); }
  for (const e of document.querySelectorAll('button,a[href],input,select,textarea,[tabindex],[role=img]')) {
    if (isShown(e) && e.id !== 'panels' && e.tagName !== 'PRE' && e.tagName !== 'CODE' && !name(e)) problems.push('no name: ' + e.outerHTML.slice(0, 120));
  }
  for (const e of document.querySelectorAll('img')) if (!e.hasAttribute('alt')) problems.push('no alt: ' + e.outerHTML.slice(0, 120));
  for (const e of document.querySelectorAll('[aria-controls],[aria-describedby],[for]')) {
    for (const key of ['aria-controls', 'aria-describedby', 'for']) for (const id of (e.getAttribute(key) || '').split(' ').filter(Boolean)) if (!document.getElementById(id)) problems.push(key + ' leads nowhere: ' + id);
  }
  const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !isShown(e) || e.closest(':disabled, .viewer-tags, [hidden], .skip, .visually-hidden, svg, input:disabled + span')) continue;
    let back = [255, 255, 255], at = e;
    while (at) { const color = parse(getComputedStyle(at).backgroundColor); if (color[3] > .9) { back = color; break; } at = at.parentElement; }
    const front = parse(getComputedStyle(e).color);
    const [a, b] = [light(front), light(back)];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) problems.push(`contrast ${ratio.toFixed(2)}: ${walker.currentNode.textContent.trim().slice(0, 40)}`);
  }
  if (document.documentElement.scrollWidth > innerWidth + 1) problems.push('the page is wider than the window');
  return problems;
}"""


def check(page, where):
    problems = page.evaluate(CHECK)
    for problem in problems:
        print("     ", problem)
    claim(f"{where}: names, labels, contrast and width", not problems)


def tab(page, name):
    page.get_by_role("tab", name=name).click()
    expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")


def compress(page):
    tab(page, "Compress")
    table = page.locator("#panel-compress table tbody")
    expect(table.locator("tr")).to_have_count(3, timeout=30000)
    first = table.inner_text()
    page.locator("#panel-compress").get_by_role("radio", name="int4").check()
    expect(table.locator("tr").first).to_contain_text("int4")
    claim("another storage, other figures", table.inner_text() != first)

    stage = page.locator("#panel-compress .stage").bounding_box()
    divide = page.get_by_label("Divide between original and result")
    before = divide.input_value()
    middle = stage["x"] + stage["width"] / 2
    page.mouse.move(middle, stage["y"] + 100)
    page.mouse.down()
    page.mouse.move(middle - 200, stage["y"] + 100, steps=5)
    page.mouse.up()
    claim("the divide follows the pointer", int(divide.input_value()) < int(before) - 100)
    zoom = page.locator("#panel-compress .zoom-text")
    fitted = zoom.inner_text()
    page.mouse.move(middle + 100, stage["y"] + 200)
    page.mouse.wheel(0, -300)
    claim("the wheel zooms", zoom.inner_text() != fitted)
    page.get_by_role("button", name="Fit").first.click()
    claim("and Fit brings it back", zoom.inner_text() == fitted)
    page.locator("#panel-compress canvas").focus()
    page.keyboard.press("+")
    claim("the keyboard zooms", zoom.inner_text() != fitted)
    page.keyboard.press("0")

    for name in ["Errors", "JPEG", "WebP", "Decoded"]:
        page.locator("#panel-compress").get_by_role("radio", name=name).check()
        expect(page.locator("#panel-compress .tag-right")).to_have_text(name)
    page.locator("#panel-compress").get_by_role("radio", name="int8").check()
    expect(table.locator("tr").first).to_contain_text("int8")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save .latent").click()
    latent = out / "saved.latent"
    download.value.save_as(latent)
    claim("the saved file is a .latent", latent.read_bytes()[4:5] != b"" and latent.stat().st_size > 1000)
    inspected = subprocess.run([program, "inspect", "--json", str(latent)], capture_output=True, text=True)
    claim("which lvae inspect reads", inspected.returncode == 0 and '"int8"' in inspected.stdout)

    drop(page, "#panel-compress", latent.name, latent.read_bytes())
    expect(page.locator("#panel-compress .file-name")).to_contain_text("saved.latent")
    expect(table.locator("tr")).to_have_count(1)
    claim("a dropped .latent is decoded", page.locator("#panel-compress .header-details").is_visible())
    drop(page, "#panel-compress", "broken.png", b"\x89PNG\r\n\x1a\nno")
    message = page.locator("#messages")
    expect(message).to_contain_text("broken.png")
    claim("a broken picture is explained", "PNG" in message.inner_text())
    page.get_by_role("button", name="Dismiss").first.click()
    page.get_by_role("button", name="Sample: cat").first.click()
    expect(table.locator("tr")).to_have_count(3)


def drop(page, panel, name, content):
    """Lets a file fall on a panel, as from the desktop."""
    transfer = page.evaluate_handle(
        """([name, text]) => {
          const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name));
          return transfer;
        }""", [name, base64.b64encode(content).decode()])
    page.dispatch_event(panel, "drop", {"dataTransfer": transfer})


def pixels(page, selector):
    """What a canvas shows, as one number."""
    return page.locator(selector).evaluate(
        """(canvas) => {
          const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          let sum = 0;
          for (let i = 0; i < data.length; i += 4) sum = (sum * 31 + data[i] + 2 * data[i + 1] + 3 * data[i + 2]) % 1000000007;
          return sum;
        }""")


def changes(page, selector, before, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if pixels(page, selector) != before:
            return True
        page.wait_for_timeout(40)
    return False


def becomes(page, selector, wanted, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if pixels(page, selector) == wanted:
            return True
        page.wait_for_timeout(100)
    return False


def latents(page):
    tab(page, "Latents")
    channels = page.locator("#panel-latents [role=radio]")
    expect(channels).to_have_count(16, timeout=30000)
    expect(page.locator("#panel-latents .legend")).to_contain_text("Decoded in")
    canvas = "#panel-latents .stage canvas"
    page.wait_for_timeout(2000)
    shown = pixels(page, canvas)
    page.get_by_role("button", name="Zero", exact=True).click()
    claim("a zeroed channel changes the picture", changes(page, canvas, shown))
    page.wait_for_timeout(900)
    page.get_by_role("button", name="Restore", exact=True).click()
    claim("and restoring it brings it back", becomes(page, canvas, shown))
    channels.nth(1).click()
    expect(page.locator("#panel-latents h2").first).to_have_text("Channel 1")
    for label in ["Multiply", "Add", re.compile("^1 · ")]:
        shown = pixels(page, canvas)
        page.locator("#panel-latents").get_by_label(label).first.focus()
        for _ in range(12):
            page.keyboard.press("ArrowRight")
        claim(f"the slider {label if isinstance(label, str) else 'of a direction'} changes the picture", changes(page, canvas, shown))
        page.wait_for_timeout(900)
    page.locator("#panel-latents").get_by_role("radio", name="Paint the channel").check()
    shown = pixels(page, canvas)
    box = page.locator("#panel-latents .stage").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 60, box["y"] + box["height"] / 2 + 20, steps=4)
    page.mouse.up()
    claim("the brush changes the picture", changes(page, canvas, shown))
    page.wait_for_timeout(900)
    shown = pixels(page, canvas)
    page.locator("#panel-latents").get_by_label("Picture", exact=True).select_option("lobster")
    claim("another picture is mixed in", changes(page, canvas, shown))
    timings = []
    how_far = page.locator("#panel-latents").get_by_label("How far")
    how_far.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(170)
        timings.append(int(re.search(r"\d+", page.locator("#panel-latents .legend").inner_text()).group()))
    print("      the picture follows after", sorted(timings)[len(timings) // 2], "ms (median of", timings, ")")
    page.get_by_role("button", name="Draw from the prior").click()
    expect(page.locator("#panel-latents .file-name")).to_contain_text("drawn from the prior")
    page.locator("#panel-latents").get_by_label("Autoencoder").select_option("emoji")
    expect(channels).to_have_count(4)
    page.locator("#panel-latents").get_by_role("button", name="Sample: fox").click()
    expect(page.locator("#panel-latents .file-name")).to_contain_text("fox")
    expect(channels.first).to_contain_text("KL")
    claim("a model with a posterior shows its KL", True)
    page.wait_for_timeout(1200)
    shown = pixels(page, canvas)
    page.locator("#panel-latents").get_by_label("Sample the posterior").focus()
    page.keyboard.press("End")
    claim("and is sampled", changes(page, canvas, shown))


def diffuse(page):
    tab(page, "Diffuse")
    panel = page.locator("#panel-diffuse")
    panel.get_by_label("Pictures", exact=True).fill("2")
    panel.get_by_label("Steps", exact=True).fill("6")
    panel.get_by_label("Seed").fill("3")
    panel.get_by_label("Class").select_option("clock")
    panel.get_by_role("button", name="Draw", exact=True).click()
    expect(panel.locator(".state")).to_contain_text("2 pictures in", timeout=60000)
    claim("each step is shown", panel.locator(".film button").count() == 6)
    command = panel.locator(".command code").inner_text()
    expected = "lvae diffuse-sample -n 2 --class clock --seed 3 --steps 6 --guidance 2.5 -o drawn.png"
    claim("the command line is there to copy", command == expected)
    with page.expect_download() as download:
        panel.get_by_role("button", name="Save Picture 0, clock").click()
    drawn = out / "drawn-by-page.png"
    download.value.save_as(drawn)
    folder = out / "by-command"
    subprocess.run([program, *command.replace("drawn.png", f"{folder} --force -q").split()[1:]], check=True)
    from_page = subprocess.run([program, "encode", "-q", "--force", "--storage", "f32", str(drawn), "-o", str(out / "a.latent")])
    from_command = subprocess.run([program, "encode", "-q", "--force", "--storage", "f32", str(folder / "0000.png"), "-o", str(out / "b.latent")])
    payload = lambda name: subprocess.run(["zstd", "-dc", str(out / name)], capture_output=True).stdout
    claim("and makes the same picture", from_page.returncode == from_command.returncode == 0 and payload("a.latent") == payload("b.latent"))

    panel.get_by_label("Pictures", exact=True).fill("24")
    panel.get_by_label("Steps", exact=True).fill("100")
    panel.get_by_role("button", name="Draw", exact=True).click()
    expect(panel.locator(".film button").nth(2)).to_be_visible(timeout=60000)
    begin = time.monotonic()
    panel.get_by_role("button", name="Stop").click()
    expect(panel.locator(".state")).to_contain_text("Stopped", timeout=10000)
    claim("Stop stops soon", time.monotonic() - begin < 5)

    panel.get_by_label("Pictures", exact=True).fill("1")
    panel.get_by_label("Steps", exact=True).fill("8")
    panel.get_by_role("button", name="Change the sample: strawberry").click()
    panel.get_by_label("Draw only a painted part anew").check()
    panel.get_by_role("button", name="Draw", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("Nothing is painted yet")
    page.get_by_role("button", name="Dismiss").first.click()
    panel.locator(".mask-canvas").scroll_into_view_if_needed()
    box = panel.locator(".mask-canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6, steps=6)
    page.mouse.up()
    panel.get_by_role("button", name="Draw", exact=True).click()
    expect(panel.locator(".state")).to_contain_text("1 picture in", timeout=60000)
    claim("a painted part is drawn anew", "--mask mask.png" in panel.locator(".command code").inner_text())


def train(page):
    tab(page, "Train")
    panel = page.locator("#panel-train")
    expect(panel.locator(".chart svg[role=img]").first).to_be_visible(timeout=20000)
    claim("there are curves", panel.locator(".chart").count() >= 3)
    claim("and samples", panel.locator(".sample-grid img").count() >= 1)
    log = next(Path(runs).rglob("log.jsonl"))
    last = json.loads(log.read_text().splitlines()[-1])["step"]
    with log.open("a") as file:
        file.write(json.dumps({"step": last + 1000, "loss": 0.001}) + "\n")
    expect(panel.locator(".run .hint")).to_contain_text(f"{last + 1000} steps", timeout=10000)
    claim("new lines of the log appear", True)


SHOWS_THUMBNAILS = """() => {
  const images = [...document.querySelectorAll('.file:not([hidden]) img')];
  return document.querySelector('.file-list').scrollTop > 3000 && images.length && images.every((image) => image.naturalWidth);
}"""


def files(page):
    tab(page, "Files")
    panel = page.locator("#panel-files")
    options = panel.locator("[role=option]:visible")
    expect(options.first).to_be_visible()
    total = int(re.search(r"\d+", panel.locator(".files-bar .hint").inner_text()).group())
    claim(f"of {total} files only what is seen is built", options.count() < 200)
    expect(options.first.locator("img[src]")).to_be_attached()
    options.first.locator("img").evaluate("(image) => image.decode()")
    frames = page.evaluate("""async () => {
      const list = document.querySelector('.file-list');
      const times = [];
      let last = performance.now();
      for (let i = 0; i < 60; i++) {
        list.scrollTop = list.scrollHeight * i / 60;
        await new Promise(requestAnimationFrame);
        times.push(performance.now() - last);
        last = performance.now();
      }
      list.scrollTop = 0;
      times.sort((a, b) => a - b);
      return { median: times[30], p95: times[57] };
    }""")
    print("      scrolling through all of them, a frame took", frames)
    box = panel.locator(".file-list").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for _ in range(40):
        page.mouse.wheel(0, 400)
    page.wait_for_function(SHOWS_THUMBNAILS, timeout=30000)
    claim("where scrolling ends, thumbnails come", True)
    panel.get_by_label("Find").fill("no such name")
    claim("that nothing is found is said", panel.get_by_text("No file is like that.").is_visible() and not options.count())
    panel.get_by_label("Find").fill("")
    panel.get_by_label("Show", exact=True).select_option("latent")
    options.first.click()
    expect(panel.locator(".facts")).to_contain_text("Weights")
    panel.locator(".file-list").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    claim("the header is shown", "Storage" in panel.locator(".facts").inner_text())
    panel.get_by_role("button", name="Open in Compress").click()
    expect(page.locator("#panel-compress .file-name")).to_contain_text(".latent")
    claim("a file is opened in another view", True)


def keyboard(page):
    page.get_by_role("tab", name="Compress").focus()
    page.keyboard.press("ArrowRight")
    claim("arrow keys change the view", page.get_by_role("tab", name="Latents").get_attribute("aria-selected") == "true")
    page.keyboard.press("Home")
    order = []
    page.locator("body").evaluate("() => document.activeElement.blur()")
    for _ in range(14):
        page.keyboard.press("Tab")
        order.append(page.evaluate("() => { const b = document.activeElement.getBoundingClientRect(); return document.activeElement.closest('header') ? 'header' : document.activeElement.closest('.controls') ? 'controls' : 'other'; }"))
    firsts = [place for index, place in enumerate(order) if index == 0 or order[index - 1] != place]
    claim(f"the focus goes through the frame, then the controls ({firsts})", firsts.index("header") < firsts.index("controls"))


def main():
    with studio("--workspace", str(out / "workspace"), runs, pictures) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for theme, width, height in [("light", 1440, 900), ("dark", 1440, 900), ("light", 360, 780), ("dark", 2560, 1440)]:
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme, accept_downloads=True)
            page = context.new_page()
            page.set_default_timeout(20000)
            troubles = []
            page.on("console", lambda message: troubles.append(message.text) if message.type == "error" and "400 (Bad Request)" not in message.text else None)
            page.on("pageerror", lambda error: troubles.append(str(error)))
            page.on("request", lambda request: troubles.append(f"asks {request.url}") if not request.url.startswith((url, "blob:", "data:")) else None)
            page.goto(url)
            views = {"Compress": compress, "Latents": latents, "Diffuse": diffuse, "Train": train, "Files": files}
            for name, use in views.items():
                if (theme, width) == ("light", 1440):
                    use(page)
                tab(page, name)
                page.wait_for_timeout(1800)
                check(page, f"{name}, {theme}, {width}")
                page.screenshot(path=out / f"{name.lower()}-{theme}-{width}.png")
            if (theme, width) == ("light", 1440):
                keyboard(page)
            page.get_by_role("button", name=re.compile("Colours")).click()
            claim("the switch changes the colours", page.locator("html").get_attribute("data-theme") == "light")
            claim(f"no errors and no request elsewhere, {theme}, {width} {troubles[:3]}", not troubles)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
    print(f"{len(failures)} claims failed" if failures else "all is well")
    sys.exit(1 if failures else 0)
