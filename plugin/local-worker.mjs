/** The empty Worker of `local.json`: its one binding makes Miniflare load the plugin. Never requested. */
export default {};
