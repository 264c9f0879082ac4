// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

const ROOM = dirname(fileURLToPath(import.meta.url))
const STATIC = join(ROOM, 'static')
const ROOT = dirname(dirname(ROOM))
const STYLES = ['tokens.css', 'page.css', 'report.css']
/** Packages that may be in a bundle for a browser: pure JavaScript. Any other is a mistake, or a polyfill of Node. */
const PACKAGES = ['@noble/curves', '@noble/hashes', '@noble/post-quantum', 'valibot']
/** What the page must not be able to do, whatever its policy says. */
const FORBIDDEN = [
  // A name alone is none: core asks a runtime that has built-in modules for one, which no browser has.
  [/\b(?:from|import|require)\s*\(?\s*["'`]node:/, 'a node:* import'],
  [/(?<![\w$.])(?:Buffer\.|process\.|require\(|__dirname\b)/, "a global of Node's"],
  [/\beval\s*\(|\bFunction\s*\(/, 'eval'],
  [/\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write)\b/, 'parsing of HTML'],
  [/\b(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|RTCPeerConnection)\b/, 'network access'],
  [/<\/script|<!--/i, 'the end of its own element'],
] as const

/** A bundle, and what is in it. */
export interface Bundle {
  readonly code: string
  /** Names of the packages in it, sorted. */
  readonly packages: readonly string[]
  /** Our own files in it, from the root, sorted. */
  readonly files: readonly string[]
}

/** The page, and its sizes. */
export interface VerifyPage {
  readonly html: string
  readonly script: Bundle
  readonly bytes: number
  readonly gzipBytes: number
}

/**
 * Bundles one entry file as a script for a browser: minified, without imports.
 * @throws RangeError when something is in it that needs Node
 */
export async function bundleForBrowser(entry: string): Promise<Bundle> {
  const bundler = await rolldown({
    input: entry,
    cwd: ROOT,
    platform: 'browser',
    tsconfig: false,
    logLevel: 'silent',
    // Our modules and the packages above only define things; what is not used may go.
    treeshake: { moduleSideEffects: false },
  })
  try {
    const { output } = await bundler.generate({ format: 'iife', minify: true, comments: false })
    const [chunk, ...others] = output
    if (others.length > 0) throw new RangeError('the bundle is more than one file')
    const missing = [...chunk.imports, ...chunk.dynamicImports]
    if (missing.length > 0) throw new RangeError(`the bundle imports ${missing.join(', ')}`)
    const paths = Object.entries(chunk.modules)
      .filter(([id, { renderedLength }]) => renderedLength > 0 && !id.startsWith('\0'))
      .map(([id]) => relative(ROOT, id).split(sep).join('/'))
    const packages = [...new Set(paths.flatMap(packageOf))].toSorted()
    const foreign = packages.filter((name) => !PACKAGES.includes(name))
    if (foreign.length > 0) throw new RangeError(`the bundle contains ${foreign.join(', ')}`)
    return {
      code: chunk.code.trim(),
      packages,
      files: paths.filter((path) => packageOf(path).length === 0).toSorted(),
    }
  } finally {
    await bundler.close()
  }
}

/** Builds the page. The same sources give the same bytes. @throws RangeError when it is not self-contained */
export async function buildVerifyPage(): Promise<VerifyPage> {
  const script = await bundleForBrowser(join(ROOM, 'main.ts'))
  for (const [pattern, what] of FORBIDDEN) {
    if (pattern.test(script.code)) throw new RangeError(`the script contains ${what}`)
  }
  const style = STYLES.map((name) => readFileSync(join(STATIC, name), 'utf8')).join('')
  const parts: Record<string, string> = {
    style: `<style>${style}</style>`,
    version: (readJson('package.json') as { version: string }).version,
    script: `<script>${script.code}</script>`,
    licences: `<!--\n${licencesOf(script.packages)}\n-->`,
  }
  const template = readFileSync(join(STATIC, 'page.html'), 'utf8')
  const html = template
    .replace('{{policy}}', policyFor(script.code, style))
    .replace(/<!-- (\w+) -->/g, (slot, name: string) => parts[name] ?? slot)
  const bytes = Buffer.from(html)
  return { html, script, bytes: bytes.length, gzipBytes: gzipSync(bytes, { level: 9 }).length }
}

/** Only the page's script and style, by hash, and the worker made of the script's text. Nothing from elsewhere. */
function policyFor(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    'worker-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

function packageOf(path: string): string[] {
  const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(path) ?? []
  return name === undefined ? [] : [name]
}

/** The notices that the packages' licences ask to keep, for the comment at the page's end. */
function licencesOf(packages: readonly string[]): string {
  const notices = packages.map((name) => {
    const folder = `node_modules/${name}`
    const { version } = readJson(`${folder}/package.json`) as { version: string }
    const file = name === 'valibot' ? 'LICENSE.md' : 'LICENSE'
    return `${name} ${version}\n\n${readFileSync(join(ROOT, folder, file), 'utf8').trim()}`
  })
  const text = ['Ampere: Apache-2.0. This page contains:', ...notices, ICONS].join('\n\n')
  if (text.includes('-->')) throw new RangeError('a licence ends the comment')
  return text
}

const ICONS = `Icons: Lucide 1.62.0, ISC License, Copyright (c) 2026 Lucide Icons and Contributors

Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby
granted, provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF
THIS SOFTWARE.`

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, path), 'utf8'))
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { html, script, bytes, gzipBytes } = await buildVerifyPage()
  const file = join(ROOT, 'dist/verify.html')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, html)
  const scriptGzip = gzipSync(script.code, { level: 9 }).length
  process.stdout.write(
    `dist/verify.html: ${bytes} bytes, ${gzipBytes} with gzip; its script ${script.code.length} minified, ${scriptGzip} with gzip\n`,
  )
}
