// SPDX-License-Identifier: Apache-2.0

/** Largest body of one append in bytes, sealed object included. Larger batches become several blocks. */
export const MAX_APPEND_BYTES = 32 * 1024 * 1024
/** Blocks per page of a chain or of the registry. */
export const MAX_PAGE_BLOCKS = 500
/** Erasure statements per page. */
export const MAX_PAGE_STATEMENTS = 200
/** How far a block's time may be from the home's, in milliseconds. */
export const CLOCK_TOLERANCE_MS = 120_000
/** How long after it was superseded a registry head may still be named, in milliseconds. */
export const REGISTRY_FRESHNESS_MS = 300_000
/** How old a signed request may be, in milliseconds. */
export const REQUEST_TOLERANCE_MS = 120_000
/** Packages that may come with one control block. */
export const MAX_PACKAGES = 512
