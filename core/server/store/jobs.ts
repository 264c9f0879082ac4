// SPDX-License-Identifier: Apache-2.0
import { asChainId, type ChainId } from '../../bytes/ids.ts'
import { AmpereError } from '../../errors.ts'
import { heightKey } from './rows.ts'

/** Partition of the jobs table with the erasures that are ordered. */
export const JOBS_ERASE = 'erase'
/** Partition with the chains whose unreferenced parts are being removed at this moment. */
export const JOBS_SWEEP = 'sweep'
/** Partition with how far the sweep came in each shard of the dirty marks. */
export const JOBS_SWEPT = 'swept'

/** Row key of an erasure job: chain and height of the completing block. */
export function erasureJob(chain: ChainId, height: number): string {
  return `${chain}/${heightKey(height)}`
}

/** @throws AmpereError STORE_CORRUPT for a key that is none of `erasureJob` */
export function parseErasureJob(key: string): { readonly chain: ChainId; readonly height: number } {
  const [chain = '', height = ''] = key.split('/')
  if (!/^\d{16}$/.test(height)) throw new AmpereError('STORE_CORRUPT', 'a job has no chain or height')
  return { chain: asChainId(chain), height: Number(height) }
}
