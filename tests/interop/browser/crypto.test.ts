// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { builtBundle } from './built.ts'
import { describeInChromium, launch, saved, WITHOUT_POST_QUANTUM } from './chromium.ts'
import { signatureAnswers } from './signature-answers.ts'
import { SUITES } from './signature-suites.ts'

describeInChromium('signatures in Chromium', () => {
  describe.each([
    ['with ML-DSA in its WebCrypto', []],
    ['without ML-DSA in its WebCrypto', [WITHOUT_POST_QUANTUM]],
  ] as const)('%s', (_, flags) => {
    let place: ReturnType<typeof saved>
    let browser: Browser
    let page: Page

    beforeAll(async () => {
      const entry = fileURLToPath(new URL('signature-answers-page.ts', import.meta.url))
      place = saved(`<!doctype html><title>answers</title><script>${builtBundle(entry).code}</script>`)
      browser = await launch({ flags })
      page = await browser.newPage()
      await page.goto(place.url)
    })

    afterAll(async () => {
      await browser?.close()
      place?.remove()
    })

    it.each(Object.entries(SUITES))('%s: accepts exactly what is valid', async (__, make) => {
      const { cases, expected } = make()
      expect(expected).toContain(true)
      expect(expected).toContain(false)
      for (const portable of [false, true]) {
        const there = await page.evaluate(
          ([given, flag]) =>
            (globalThis as unknown as { signatureAnswers: typeof signatureAnswers }).signatureAnswers(
              given,
              flag,
            ),
          [cases, portable] as const,
        )
        expect(there).toEqual(expected)
      }
      expect(await signatureAnswers(cases, false)).toEqual(expected)
    })
  })
})
