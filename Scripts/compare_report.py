"""Rows of Scripts/compare.py as Markdown, as a chart in SVG, and as JSON."""
import html
import json
import statistics

KEYS = ["job", "engine", "precision", "threads", "median_ms", "min_ms", "max_ms", "peak_mb"]


def row(job, engine, threads, runs):
    """One row from the results of an engine's processes, a round each."""
    name, _, precision = engine.partition("-")
    times = [time for run in runs for time in run["runs_ms"]]
    result = {
        "job": job, "engine": name, "precision": precision or "f32", "threads": threads,
        "median_ms": statistics.median(times), "min_ms": min(times), "max_ms": max(times),
        "peak_mb": max(run["peak_mb"] for run in runs), "runs": len(times)}
    for key in ["cpu_ms", "load_ms"]:
        if all(key in run for run in runs):
            result[key] = statistics.median(run[key] for run in runs)
    return result


def fastest_peer(rows, job, precision="f32"):
    times = [
        row["median_ms"] for row in rows
        if row["job"] == job and row["engine"] != "lvae" and row["precision"] == precision]
    return min(times, default=None)


def jobs_of(rows):
    return list(dict.fromkeys(row["job"] for row in rows))


def decimal(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def milliseconds(value):
    return decimal(value, 0 if value >= 100 else 1)


def markdown(rows, notes):
    lines = [f"- {note}" for note in notes] + [
        "", "| job | engine | precision | median ms | min–max | peak MB | fastest float32 peer ÷ it "
        "| PSNR dB | largest difference |", "|---|---|---|--:|--:|--:|--:|--:|--:|"]
    for job in jobs_of(rows):
        peer = fastest_peer(rows, job)
        for row in (row for row in rows if row["job"] == job):
            mark = "**" if row["engine"] == "lvae" else ""
            ratio = peer / row["median_ms"] if peer else None
            largest = row.get("max_abs")
            lines.append(
                f"| {job} | {mark}{row['engine']}{mark} | {row['precision']} "
                f"| {mark}{milliseconds(row['median_ms'])}{mark} "
                f"| {milliseconds(row['min_ms'])}–{milliseconds(row['max_ms'])} "
                f"| {decimal(row['peak_mb'])} | {decimal(ratio, 2)} "
                f"| {decimal(row.get('psnr_db'), 1)} "
                f"| {'–' if largest is None else format(largest, '.1e')} |")
    return "\n".join(lines) + "\n"


STYLE = """text{font:13px system-ui,sans-serif;fill:#57606a}.job{font-weight:600}
.peer{fill:#8c959f}.lvae{fill:#2f81f7}
@media(prefers-color-scheme:dark){text{fill:#9da7b3}.peer{fill:#6e7681}}"""


def svg(rows, title):
    """Bars of median times, a group a job, each group with a scale of its own."""
    label, width, bar, gap = 170, 420, 18, 6
    parts, y = [], 52
    for job in jobs_of(rows):
        group = [row for row in rows if row["job"] == job]
        longest = max(row["median_ms"] for row in group)
        parts.append(f'<text class="job" x="12" y="{y}">{html.escape(job)}</text>')
        y += 10
        for row in group:
            length = max(1, row["median_ms"] / longest * width)
            name = row["engine"] + ("" if row["precision"] == "f32" else f" {row['precision']}")
            kind = "lvae" if row["engine"] == "lvae" else "peer"
            text_y = y + bar - 5
            parts.append(
                f'<text x="{label - 8}" y="{text_y}" text-anchor="end">{html.escape(name)}</text>'
                f'<rect class="{kind}" x="{label}" y="{y}" width="{length:.1f}" height="{bar}"/>'
                f'<text x="{label + length + 6:.1f}" y="{text_y}">'
                f'{milliseconds(row["median_ms"])} ms, {decimal(row["peak_mb"])} MB</text>')
            y += bar + gap
        y += 24
    total = label + width + 160
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{y}" '
        f'viewBox="0 0 {total} {y}" role="img"><title>{html.escape(title)}</title>'
        f'<style>{STYLE}</style><text class="job" x="12" y="24">{html.escape(title)}</text>\n'
        + "\n".join(parts) + "\n</svg>\n")


def write_json(rows, path):
    with open(path, "w") as file:
        json.dump(rows, file, indent=1)
        file.write("\n")


def self_test():
    """Checks what needs no engine; prints nothing if all is well."""
    import xml.etree.ElementTree

    rows = [
        row("a-decode-8", "lvae", 2, [
            {"runs_ms": [10.0, 30.0], "peak_mb": 5.0, "cpu_ms": 8.0},
            {"runs_ms": [20.0], "peak_mb": 7.0, "cpu_ms": 9.0}]),
        row("a-decode-8", "openvino", 2, [{"runs_ms": [50.0], "peak_mb": 70.0}]),
        row("a-decode-8", "openvino-bf16", 2, [{"runs_ms": [25.0], "peak_mb": 60.0}]),
        row("b<&>", "pytorch", 1, [{"runs_ms": [1.0], "peak_mb": 1.0}])]
    assert all(key in row for row in rows for key in KEYS)
    assert (rows[0]["median_ms"], rows[0]["min_ms"], rows[0]["max_ms"]) == (20, 10, 30)
    assert rows[0]["peak_mb"] == 7 and rows[0]["runs"] == 3 and rows[0]["cpu_ms"] == 8.5
    assert rows[2]["precision"] == "bf16" and rows[2]["engine"] == "openvino"
    assert fastest_peer(rows, "a-decode-8") == 50
    assert fastest_peer(rows, "b<&>", "bf16") is None
    table = markdown(rows, ["a note"])
    assert "| a-decode-8 | **lvae** | f32 | **20.0** | 10.0–30.0 | 7 | 2.50 |" in table, table
    tree = xml.etree.ElementTree.fromstring(svg(rows, "a < b"))
    bars = [node for node in tree.iter() if node.tag.endswith("rect")]
    assert len(bars) == 4 and float(bars[0].get("width")) == 168
