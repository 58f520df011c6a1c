/** The class types of real ComfyUI that the embedded runtime offers under the same ids. */
export const CLASSES: readonly string[] = [
  ...['LoadImage', 'LoadImageMask', 'SaveImage', 'PreviewImage', 'EmptyImage', 'ImageScale', 'ImageScaleBy'],
  ...['ImageCrop', 'ImageInvert', 'ImageBatch', 'RebatchImages', 'ImageToMask', 'MaskToImage'],
  ...['PrimitiveString', 'PrimitiveStringMultiline', 'PrimitiveInt', 'PrimitiveFloat', 'PrimitiveBoolean'],
  ...['StringConcatenate', 'StringSubstring', 'StringLength', 'CaseConverter', 'StringTrim', 'StringReplace'],
  ...['StringContains', 'StringCompare', 'RegexMatch', 'RegexExtract', 'RegexReplace', 'ComfySwitchNode'],
];
