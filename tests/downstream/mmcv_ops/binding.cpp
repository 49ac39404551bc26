// Copyright (c) 2026 The mmseg_remamber authors.
// SPDX-License-Identifier: Apache-2.0
//
// mmcv._ext with the three operators that Mask R-CNN calls. The names of all others exist too, as
// importing mmcv.ops asks for them, and say what they are when they are called.

#include <torch/extension.h>

#include <string>

at::Tensor nms(at::Tensor boxes, at::Tensor scores, float iou_threshold, int offset);

void roi_align_forward(at::Tensor input, at::Tensor rois, at::Tensor output, at::Tensor argmax_y,
                       at::Tensor argmax_x, int aligned_height, int aligned_width,
                       float spatial_scale, int sampling_ratio, int pool_mode, bool aligned);

void roi_align_backward(at::Tensor grad_output, at::Tensor rois, at::Tensor argmax_y,
                        at::Tensor argmax_x, at::Tensor grad_input, int aligned_height,
                        int aligned_width, float spatial_scale, int sampling_ratio, int pool_mode,
                        bool aligned);

namespace py = pybind11;

PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
  m.def("nms", &nms, py::arg("boxes"), py::arg("scores"), py::arg("iou_threshold"),
        py::arg("offset"));
  m.def("roi_align_forward", &roi_align_forward, py::arg("input"), py::arg("rois"),
        py::arg("output"), py::arg("argmax_y"), py::arg("argmax_x"), py::arg("aligned_height"),
        py::arg("aligned_width"), py::arg("spatial_scale"), py::arg("sampling_ratio"),
        py::arg("pool_mode"), py::arg("aligned"));
  m.def("roi_align_backward", &roi_align_backward, py::arg("grad_output"), py::arg("rois"),
        py::arg("argmax_y"), py::arg("argmax_x"), py::arg("grad_input"),
        py::arg("aligned_height"), py::arg("aligned_width"), py::arg("spatial_scale"),
        py::arg("sampling_ratio"), py::arg("pool_mode"), py::arg("aligned"));
  // a module's own __getattr__ (PEP 562)
  m.def("__getattr__", [](const std::string& name) -> py::object {
    if (name.rfind("__", 0) == 0) {
      throw py::attribute_error(name);
    }
    return py::cpp_function([name](const py::args&, const py::kwargs&) {
      throw std::runtime_error("mmcv's operator " + name +
                               " is not among the three that this environment was built with");
    });
  });
}
