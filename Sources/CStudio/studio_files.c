#include "CStudio.h"

// To add a file of the page, add it here twice: its bytes, and its path.

static const unsigned char index_html[] = {
#embed "page/index.html"
};
static const unsigned char style_css[] = {
#embed "page/style.css"
};
static const unsigned char icon_svg[] = {
#embed "page/icon.svg"
};
static const unsigned char app_js[] = {
#embed "page/app.js"
};
static const unsigned char api_js[] = {
#embed "page/api.js"
};
static const unsigned char dom_js[] = {
#embed "page/dom.js"
};
static const unsigned char viewer_js[] = {
#embed "page/viewer.js"
};
static const unsigned char channels_js[] = {
#embed "page/channels.js"
};
static const unsigned char samples_js[] = {
#embed "page/samples.js"
};
static const unsigned char mask_js[] = {
#embed "page/mask.js"
};
static const unsigned char chart_js[] = {
#embed "page/chart.js"
};
static const unsigned char compress_js[] = {
#embed "page/compress.js"
};
static const unsigned char latents_js[] = {
#embed "page/latents.js"
};
static const unsigned char diffuse_js[] = {
#embed "page/diffuse.js"
};
static const unsigned char train_js[] = {
#embed "page/train.js"
};
static const unsigned char files_js[] = {
#embed "page/files.js"
};
static const unsigned char openapi_json[] = {
#embed "page/openapi.json"
};

#define FILE_AT(path, bytes) {path, bytes, sizeof bytes}

static const lvae_studio_file files[] = {
    FILE_AT("index.html", index_html),
    FILE_AT("style.css", style_css),
    FILE_AT("icon.svg", icon_svg),
    FILE_AT("app.js", app_js),
    FILE_AT("api.js", api_js),
    FILE_AT("dom.js", dom_js),
    FILE_AT("viewer.js", viewer_js),
    FILE_AT("channels.js", channels_js),
    FILE_AT("mask.js", mask_js),
    FILE_AT("samples.js", samples_js),
    FILE_AT("chart.js", chart_js),
    FILE_AT("compress.js", compress_js),
    FILE_AT("latents.js", latents_js),
    FILE_AT("diffuse.js", diffuse_js),
    FILE_AT("train.js", train_js),
    FILE_AT("files.js", files_js),
    FILE_AT("openapi.json", openapi_json),
};

const lvae_studio_file *lvae_studio_files(size_t *count) {
  *count = sizeof files / sizeof *files;
  return files;
}
