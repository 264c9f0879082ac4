// SPDX-License-Identifier: Apache-2.0

/** Whose clouds a home can run in. */
export const PROVIDERS = ['aws', 'azure'] as const
export type Provider = (typeof PROVIDERS)[number]
