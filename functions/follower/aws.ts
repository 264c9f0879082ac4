// SPDX-License-Identifier: Apache-2.0
import { onLambda } from '../host/cloud/aws.ts'
import { openFollowing } from './alone.ts'

export const handler = onLambda({ wakes: openFollowing })
