// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import type { Digest } from '#core/bytes/ids.ts'
import { parseJws } from '#core/block/jws.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { asJson, failedWith, type Outcome } from '#desktop/verify/outcome.ts'
import { describeInChromium, launch, WITHOUT_POST_QUANTUM } from './chromium.ts'
import { exportOfTwoInstitutions, exportSignedWithMlDsa, type ExportFile } from './export-files.ts'
import type { Problem } from '#cli/proof/problem.ts'
import { check, openPage, type OpenedPage } from './opened-page.ts'
import { damaged, signatureBroken, TAMPERINGS } from './tampered-files.ts'

const COMMAND = fileURLToPath(new URL('../../../cli/ampere.mjs', import.meta.url))

describeInChromium('the page verifies as Node does', () => {
  let opened: OpenedPage
  let page: Page
  let file: ExportFile

  beforeAll(async () => {
    file = await exportOfTwoInstitutions()
    opened = await openPage()
    page = opened.page
  })

  afterAll(async () => opened?.close())

  it('gives the same report as Node for a record of two institutions with an erased entry', async () => {
    const report = await verifyExport(file.bytes, { registry: file.registry })
    expect(report).toMatchObject({ erased: 1, problems: [] })
    expect(report.blocks).toBeGreaterThan(5)
    expect(algorithms(file)).toEqual({ block: ['ES256'], head: ['Ed25519'] })
    expect(await check(page, file.bytes, file.registry)).toEqual(asJson({ report, failure: null }))
    expect(await check(page, file.bytes)).toEqual(asJson({ report, failure: null }))
  })

  it('verifies ML-DSA-44 with its own implementation and, where WebCrypto lacks it, with the portable one', async () => {
    const signed = await exportSignedWithMlDsa()
    expect(algorithms(signed).block).toEqual(['ES256', 'ML-DSA-44'])
    const broken = signatureBroken(signed.bytes)
    const inNode = await outcomeInNode(broken)
    expect(inNode.failure?.message).toMatch(/^rule signature: block /)
    const older = await launch({ flags: [WITHOUT_POST_QUANTUM] })
    try {
      const there = await older.newPage()
      await there.goto(opened.url)
      expect(await hasMlDsa(there)).toBe(false)
      for (const at of [page, there]) {
        const report = await verifyExport(signed.bytes, { registry: signed.registry })
        expect(await check(at, signed.bytes, signed.registry)).toEqual(asJson({ report, failure: null }))
        expect(await check(at, broken)).toEqual(asJson(inNode))
      }
    } finally {
      await older.close()
    }
  })

  it.each(TAMPERINGS)('says the same as Node when %s', async (_, tamper) => {
    const bytes = tamper(file.bytes)
    const inNode = await outcomeInNode(bytes)
    expect(inNode.failure ?? inNode.report.problems).not.toEqual([])
    expect(await check(page, bytes)).toEqual(asJson(inNode))
  })

  it('says the same as Node when another registry is pinned', async () => {
    const other = `${file.registry.slice(0, -2)}AA` as Digest
    const inNode = await outcomeInNode(file.bytes, other)
    expect(inNode.failure?.message).toMatch(/^rule registry: /)
    expect(await check(page, file.bytes, other)).toEqual(asJson(inNode))
    expect(await page.locator('#verdict-title').textContent()).toBe('This file is of another registry')
  })

  it('says the same as the command for a good file and for a bad one', async () => {
    const { folder } = opened
    for (const bytes of [file.bytes, damaged(file.bytes), signatureBroken(file.bytes)]) {
      const path = join(folder, 'record.ampere')
      writeFileSync(path, bytes)
      const flags = ['verify', path, '--json', '--data', folder]
      const run = spawnSync(process.execPath, [COMMAND, ...flags], { encoding: 'utf8' })
      const { pinned, problems, ...said } = JSON.parse(run.stdout) as { pinned: boolean; problems: Problem[] }
      expect(pinned).toBe(false)
      expect(await check(page, bytes)).toEqual(
        'chain' in said
          ? // The command names the chain in each problem, because it can verify several.
            { ...said, problems: problems.map((problem) => ({ ...problem, chain: undefined })) }
          : {
              ...said,
              code: 'VERIFICATION_FAILED',
              message: problems.map(({ rule, detail }) => `rule ${rule}: ${detail}`).join(),
            },
      )
    }
  })

  it('asked for nothing but itself, all this time, and the browser reported no fault', () => {
    expect(opened.foreignRequests()).toEqual([])
    expect(opened.faults()).toEqual([])
  })
})

async function hasMlDsa(page: Page): Promise<boolean> {
  return page.evaluate(() =>
    crypto.subtle.generateKey({ name: 'ML-DSA-44' }, false, ['sign', 'verify']).then(
      () => true,
      () => false,
    ),
  )
}

async function outcomeInNode(bytes: Uint8Array, registry?: Digest): Promise<Outcome> {
  try {
    return { report: await verifyExport(bytes, registry ? { registry } : {}), failure: null }
  } catch (error) {
    return failedWith(error)
  }
}

/** The algorithms that blocks and head of an export are signed with, sorted. */
function algorithms({ bytes }: ExportFile): Record<'block' | 'head', string[]> {
  const lines = fromUtf8(bytes)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, string>)
  const of = (member: 'block' | 'head') =>
    [
      ...new Set(
        lines.flatMap((line) => line[member] ?? []).map((jws) => parseJws(jws, `ampere-${member}+jws`).alg),
      ),
    ].toSorted()
  return { block: of('block'), head: of('head') }
}
