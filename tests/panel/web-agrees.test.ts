import { expect, expectTypeOf, test } from 'vitest';
import type { PictureStory, receiptOf } from '../../bridge/panel/picture-story.ts';
import { findPin } from '../../nodes/metadata/pin.ts';
import { PIN_PROPERTY, PIN_SAMPLER } from '../../web/comfyui/pin-property.ts';
import type { Field, Receipt, ReceiptRow, Sampler, Story } from '../../web/shared/panel-client.ts';

/**
 * The browser's side imports nothing of the server's, so it spells the shapes of the answers again. The types are held
 * together by `tsc`; an optional member that only one side has would pass as assignable, hence the keys.
 */

type ServerReceipt = ReturnType<typeof receiptOf>;
type Each<List extends readonly unknown[]> = List[number];
/** What JSON makes of a value: a member that is undefined is none. */
type Sent<T> = T extends readonly (infer Item)[]
  ? readonly Sent<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Sent<Exclude<T[Key], undefined>> }
    : T;

test('a receipt is sent as the browser reads it', () => {
  expectTypeOf<Sent<ServerReceipt>>().toExtend<Receipt>();
  expectTypeOf<keyof ServerReceipt>().toEqualTypeOf<keyof Receipt>();
  expectTypeOf<keyof Each<ServerReceipt['rows']>>().toEqualTypeOf<keyof ReceiptRow>();
  expectTypeOf<Each<ServerReceipt['rows']>['mark']>().toEqualTypeOf<ReceiptRow['mark']>();
  expectTypeOf<keyof Each<Each<ServerReceipt['rows']>['loses']>>().toEqualTypeOf<
    keyof Each<ReceiptRow['loses']>
  >();
});

test('a story is sent as the browser reads it', () => {
  expectTypeOf<Sent<PictureStory>>().toExtend<Story>();
  expectTypeOf<keyof PictureStory>().toEqualTypeOf<keyof Story>();
  expectTypeOf<PictureStory['from']>().toEqualTypeOf<Story['from']>();
  expectTypeOf<PictureStory['holds']>().toEqualTypeOf<Story['holds']>();
});

test('what the browser reads of lists is there to be sent', () => {
  expectTypeOf<keyof Sampler>().toExtend<keyof Each<PictureStory['samplers']>>();
  expectTypeOf<keyof Field>().toExtend<keyof Each<PictureStory['fields']>>();
  expectTypeOf<keyof Each<Story['resources']>>().toExtend<keyof Each<PictureStory['resources']>>();
  expectTypeOf<keyof Each<Story['warnings']>>().toEqualTypeOf<keyof Each<PictureStory['warnings']>>();
});

test('the save node finds what the menu pins', () => {
  const workflow = { nodes: [{ id: 4, type: 'KSampler', properties: { [PIN_PROPERTY]: PIN_SAMPLER } }] };
  expect(findPin(workflow, 'sampler')).toBe('4');
});
