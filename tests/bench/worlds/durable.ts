// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import type { Home } from '#core/block/block.ts'
import type { Platform } from '#core/ports/needs.ts'
import { ORIGIN, START_MS, testDeployment, type TestDeployment } from '#tests/deployment.ts'

/** What new chains name as their home. */
export const HOME: Home = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
export const INSTITUTION = 'hospital-a'

/** Runs `act` with a folder of its own on this machine's disk, and removes it afterwards. */
export async function inFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'ampere-bench-'))
  try {
    return await act(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The local adapter with the clock of the tests, which stands unless it is moved: blocks made beforehand are still fresh when sent. */
export function localPlatform(folder: string, clock: { readonly now: number } = { now: START_MS }): Platform {
  return openLocal({ folder, passphrase: 'bench', now: () => clock.now })
}

/**
 * A deployment on the local adapter in `folder`. Opened again it is the same one: its keys come from the seed
 * and from the folder's key file.
 */
export function durableDeployment(
  folder: string,
  around: (platform: Platform) => Platform = (platform) => platform,
): Promise<TestDeployment> {
  const clock = { now: START_MS }
  return testDeployment([INSTITUTION], { base: around(localPlatform(folder, clock)), clock })
}
