// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { VerifyPage } from '#desktop/verify/build.ts'
import { builtBundle, builtPage } from './built.ts'

/** Room for the page to grow; a parser, a polyfill or the home's code slipping in takes more. */
const MAX_PAGE_BYTES = 232_000
const MAX_PAGE_GZIP_BYTES = 80_000

describe('the built page', () => {
  let page: VerifyPage

  beforeAll(() => {
    page = builtPage()
  })

  it('contains the verifier itself, and nothing of the home, of Node or of opening what is sealed', () => {
    const { files, packages } = page.script
    expect(files).toContain('core/client/export/verify-export.ts')
    expect(
      files.filter(
        (file) =>
          !/^(core\/(api|block|bytes|chain|client|crypto|evidence|log|registry)\/|core\/errors\.ts$|desktop\/verify\/)/.test(
            file,
          ),
      ),
    ).toEqual([])
    expect(packages).toEqual(['@noble/curves', '@noble/hashes', '@noble/post-quantum', 'valibot'])
    expect(page.script.code).not.toMatch(/node:|\bimport\b|\brequire\(/)
  })

  it('is one file that names no other, and whose policy lets exactly its own script and style run', () => {
    const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(page.html)?.[1]
    expect(policy).toBe(
      [
        "default-src 'none'",
        `script-src '${hashOf('script')}'`,
        `style-src '${hashOf('style')}'`,
        'worker-src blob:',
        "base-uri 'none'",
        "form-action 'none'",
      ].join('; '),
    )
    const markup = page.html.replace(/<script>[\s\S]*?<\/script>|<!--[\s\S]*?-->/g, '')
    expect(markup).not.toMatch(
      /\b(src|srcset|href|action|poster|data)=["'](?!#)|url\(|@import|\son\w+=|\sstyle=/,
    )
    expect(markup).not.toMatch(/\{\{|<!--/)
  })

  it('keeps the notices that the licences of its packages ask for', () => {
    expect(page.html).toContain(`Copyright (c) 2024 Paul Miller`)
    expect(page.html).toMatch(/valibot \d+\.\d+\.\d+\n[\s\S]*Copyright \(c\) Fabian Hiller/)
  })

  it('has the same bytes each time it is built', () => {
    expect(builtPage().html).toBe(page.html)
  })

  it(`is smaller than ${MAX_PAGE_BYTES} bytes, and than ${MAX_PAGE_GZIP_BYTES} with gzip`, () => {
    expect(page.bytes).toBeLessThan(MAX_PAGE_BYTES)
    expect(page.gzipBytes).toBeLessThan(MAX_PAGE_GZIP_BYTES)
  })

  it.each([
    ['imports a module of Node', "import { readFileSync } from 'node:fs'\nglobalThis.x = readFileSync"],
    ['contains a package that is not for browsers', "import { Hono } from 'hono'\nglobalThis.x = Hono"],
  ])('is not built when the script %s', (_, source) => {
    const folder = mkdtempSync(join(tmpdir(), 'ampere-bundle-'))
    try {
      const root = new URL('../../../', import.meta.url).pathname
      const entry = join(folder, 'entry.ts')
      writeFileSync(entry, source.replace("'hono'", `'${root}node_modules/hono/dist/index.js'`))
      expect(() => builtBundle(entry)).toThrow(/the bundle (imports node:fs|contains hono)/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  function hashOf(tag: 'script' | 'style'): string {
    const elements = [...page.html.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, 'g'))]
    expect(elements).toHaveLength(1)
    return `sha256-${createHash('sha256')
      .update(elements[0]?.[1] ?? '')
      .digest('base64')}`
  }
})
