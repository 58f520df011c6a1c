import { isFloat } from '../formats/floats.ts';
import { dtypeOf, type Precision } from './facts.ts';
import { architectureOf, kindOf, type ModelView, type ViewTensor } from './view.ts';

/**
 * A model with its floats in the precision that its output asks for. Markers keep their type, and so does what is no
 * float.
 *
 * @param precision undefined leaves all as it is.
 */
export function storeAs(view: ModelView, precision: Precision | undefined): ModelView {
  if (precision === undefined) return view;
  const dtype = dtypeOf(precision);
  const architecture = architectureOf(view);
  const tensors = [...view.tensors].map(([name, tensor]): [string, ViewTensor] =>
    isFloat(tensor.dtype) && kindOf(name, architecture) !== 'marker'
      ? [name, { ...tensor, dtype }]
      : [name, tensor],
  );
  return { ...view, tensors: new Map(tensors) };
}
