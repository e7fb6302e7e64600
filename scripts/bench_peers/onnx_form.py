"""Our network as ONNX, in two forms: 1-D convolutions, and matrix products of spliced frames.

Both compute, from features padded by `context`, every third frame's scores exactly as src/acoustic does.
"""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

TO_END = 2**31 - 1


class Form:
    """Builds the graph; `convolution` says which form."""

    def __init__(self, model, convolution):
        description = json.loads((model / "model.json").read_text())["network"]
        self.layers = description["layers"]
        self.weights = load_file(model / description["weights"])
        self.input_dim = description["input_dim"]
        self.convolution = convolution
        self.time_axis = 2 if convolution else 0
        self.nodes, self.constants = [], []
        self.spans = self.needed_spans()
        self.outputs = ["x"]
        for index, layer in enumerate(self.layers):
            self.outputs.append(self.layer(index, layer))

    def needed_spans(self):
        """First and last frame of each node that output frame 0 needs, at the node's own rate."""
        spans = [[0, 0] for _ in range(len(self.layers) + 1)]

        def widen(node, first, last):
            spans[node] = [min(spans[node][0], first), max(spans[node][1], last)]

        for index in reversed(range(len(self.layers))):
            layer, (first, last) = self.layers[index], spans[index + 1]
            stride, offsets = layer["stride"], layer["offsets"]
            widen(index, first * stride + offsets[0], last * stride + offsets[-1])
            if "bypass" in layer:
                widen(self.node_of(layer["bypass"]["layer"]), first, last)
        return spans

    def node_of(self, name):
        return [layer["name"] for layer in self.layers].index(name) + 1

    def constant(self, values):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, kind, inputs, **attributes):
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def cut(self, node, first, last, step=1):
        """Without `first` frames at the start and `last` at the end, and every `step`-th of the rest."""
        if first == last == 0 and step == 1:
            return node
        bounds = [[first], [-last if last else TO_END], [self.time_axis], [step]]
        return self.add("Slice", [node, *(self.constant(np.array(bound, np.int64)) for bound in bounds)])

    def product(self, index, layer):
        """The layer's matrix product with bias."""
        weight = self.values(layer, "weight")
        outputs, offsets, stride = layer["output_dim"], layer["offsets"], layer["stride"]
        bias = np.zeros(outputs, np.float32)
        if layer["bias"]:
            bias = self.values(layer, "bias")
        below = self.outputs[index]
        if self.convolution:
            kernel = weight.reshape(outputs, len(offsets), -1).transpose(0, 2, 1)
            inputs = [self.cut(below, *self.unread(index)), self.constant(kernel), self.constant(bias)]
            return self.add("Conv", inputs, strides=[stride])
        spliced = [self.cut(below, *ends, stride) for ends in self.taps(index)]
        joined = self.add("Concat", spliced, axis=1) if len(spliced) > 1 else spliced[0]
        return self.add("Gemm", [joined, self.constant(weight.T), self.constant(bias)])

    def unread(self, index):
        """How many frames below, at the start and at the end, a layer does not read."""
        layer, (first, last), below = self.layers[index], self.spans[index + 1], self.spans[index]
        before = first * layer["stride"] + layer["offsets"][0] - below[0]
        return before, below[1] - (last * layer["stride"] + layer["offsets"][-1])

    def taps(self, index):
        """What to cut off below, at the start and at the end, for each offset of a layer."""
        offsets, (before, after) = self.layers[index]["offsets"], self.unread(index)
        return [(before + o - offsets[0], after + offsets[-1] - o) for o in offsets]

    def around(self, index):
        """The output that a layer's bypass takes, and what to cut off it at the start and at the end."""
        source, (first, last) = self.node_of(self.layers[index]["bypass"]["layer"]), self.spans[index + 1]
        return source, first - self.spans[source][0], self.spans[source][1] - last

    def values(self, layer, kind):
        """Weights of a layer as floats."""
        return self.weights[f"{layer['name']}.{kind}"].astype(np.float32)

    def layer(self, index, layer):
        """The node that holds the layer's output."""
        node = self.product(index, layer)
        if layer["relu"]:
            node = self.add("Relu", [node])
        if layer["norm"]:
            shape = (1, -1, 1) if self.convolution else (1, -1)
            scale, shift = (self.values(layer, kind).reshape(shape) for kind in ("scale", "shift"))
            node = self.add("Add", [self.add("Mul", [node, self.constant(scale)]), self.constant(shift)])
        if "bypass" in layer:
            source, *ends = self.around(index)
            around = self.cut(self.outputs[source], *ends)
            scaled = self.add("Mul", [around, self.constant(np.array(layer["bypass"]["scale"], np.float32))])
            node = self.add("Add", [node, scaled])
        return node

    def context(self):
        """Frames before and after the first that the first output needs."""
        return -self.spans[0][0], self.spans[0][1]

    def save(self, path):
        shape = [1, self.input_dim, "frames"] if self.convolution else ["frames", self.input_dim]
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
        outputs = [helper.make_tensor_value_info(self.outputs[-1], TensorProto.FLOAT, None)]
        graph = helper.make_graph(self.nodes, "network", inputs, outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 9
        onnx.save(model, path)
