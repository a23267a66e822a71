"""Samples for game engines: the loop of an ONNX export in Unity's C# and Unreal's C++.

They are filled with the names and shapes of one export, which must be for one size.
"""

import pathlib
import re

from vgan.runtime.engines.exported import Manifest

UNITY, UNREAL = "Stylizer.cs", "Stylizer.h"

_UNITY = """\
// A vgan generator in Unity, by Sentis 2: the package com.unity.ai.inference. (In its
// forerunner com.unity.sentis 2.1 the namespace is Unity.Sentis.) Put it beside
// step.onnx and style.onnx in Assets/. Colors are float RGB in [-1, 1], rows from the
// top, while Unity's own pixels begin at the bottom.
using System;
using Unity.InferenceEngine;

public sealed class Stylizer : IDisposable
{
    public const int Height = HEIGHT, Width = WIDTH;
    static readonly string[] Names = { NAMES };
    static readonly TensorShape[] Shapes =
    {
        SHAPES,
    };

    readonly Worker worker;
    readonly Tensor<float> frame, code;
    readonly Tensor[] state = new Tensor[Names.Length];

    public Stylizer(ModelAsset step, float[] code)
    {
        worker = new Worker(ModelLoader.Load(step), BackendType.GPUCompute);
        frame = new Tensor<float>(new TensorShape(1, Height, Width, 3));
        this.code = new Tensor<float>(new TensorShape(1, CODE), code);
        Reset();
    }

    // The code of a painting, once: its short side about STYLE, both multiples of 16.
    public static float[] Encode(ModelAsset style, float[] rgb, int height, int width)
    {
        using var worker = new Worker(ModelLoader.Load(style), BackendType.GPUCompute);
        var shape = new TensorShape(1, height, width, 3);
        using var pictures = new Tensor<float>(shape, rgb);
        worker.SetInput("pictures", pictures);
        worker.Schedule();
        return (worker.PeekOutput("code") as Tensor<float>).DownloadToArray();
    }

    // Before the first frame, and at every cut to another scene: zeros.
    public void Reset()
    {
        for (var i = 0; i < Names.Length; i++)
        {
            state[i]?.Dispose();
            state[i] = new Tensor<float>(Shapes[i]);
        }
    }

    // Height * Width * 3 numbers in and out.
    public float[] Paint(float[] rgb)
    {
        frame.Upload(rgb);
        worker.SetInput("frame", frame);
        worker.SetInput("code", code);
        for (var i = 0; i < Names.Length; i++)
            worker.SetInput(Names[i], state[i]);
        worker.Schedule();
        // Copied: what PeekOutput gives is gone at the next Schedule.
        for (var i = 0; i < Names.Length; i++)
            worker.CopyOutput("new_" + Names[i], ref state[i]);
        return (worker.PeekOutput("stylised") as Tensor<float>).DownloadToArray();
    }

    public void Dispose()
    {
        worker.Dispose();
        frame.Dispose();
        code.Dispose();
        foreach (var tensor in state)
            tensor.Dispose();
    }
}
"""

_UNREAL = """\
// A vgan generator in Unreal 5.4 or later, by NNE with the plugin NNERuntimeORT. Import
// step.onnx and style.onnx as NNE model data; the module depends on "NNE".
// Colors are float RGB in [-1, 1], rows from the top.
// On a GPU: INNERuntimeGPU, "NNERuntimeORTDml", CreateModelGPU, CreateModelInstanceGPU.
#pragma once

#include "CoreMinimal.h"
#include "NNE.h"
#include "NNEModelData.h"
#include "NNERuntimeCPU.h"

// One of the two networks: tensors by name, while NNE goes by their order.
class FVganNetwork
{
public:
    TMap<FString, TArray<float>> In, Out;

    // Shapes of inputs in the order of the file; {} where the file has them all.
    bool Init(UNNEModelData* Data, TArray<UE::NNE::FTensorShape> Shapes = {})
    {
        const TWeakInterfacePtr<INNERuntimeCPU> Runtime =
            UE::NNE::GetRuntime<INNERuntimeCPU>(TEXT("NNERuntimeORTCpu"));
        if (!Runtime.IsValid()) return false;
        const TSharedPtr<UE::NNE::IModelCPU> Model = Runtime->CreateModelCPU(Data);
        if (!Model.IsValid()) return false;
        Instance = Model->CreateModelInstanceCPU();
        if (!Instance.IsValid()) return false;
        if (Shapes.IsEmpty())
            for (const UE::NNE::FTensorDesc& Tensor : Instance->GetInputTensorDescs())
                Shapes.Add(UE::NNE::FTensorShape::MakeFromSymbolic(Tensor.GetShape()));
        if (Instance->SetInputTensorShapes(Shapes) != UE::NNE::EResultStatus::Ok)
            return false;
        for (int32 I = 0; I < Shapes.Num(); ++I)
            In.Add(Instance->GetInputTensorDescs()[I].GetName())
                .SetNumZeroed(static_cast<int32>(Shapes[I].Volume()));
        return true;
    }

    bool Run()
    {
        TArray<UE::NNE::FTensorBindingCPU> Inputs, Outputs;
        for (const UE::NNE::FTensorDesc& Tensor : Instance->GetInputTensorDescs())
            Inputs.Add(Bind(In[Tensor.GetName()]));
        for (const UE::NNE::FTensorDesc& Tensor : Instance->GetOutputTensorDescs())
            Outputs.Add(Bind(Out[Tensor.GetName()]));
        return Instance->RunSync(Inputs, Outputs) == UE::NNE::EResultStatus::Ok;
    }

private:
    TSharedPtr<UE::NNE::IModelInstanceCPU> Instance;

    static UE::NNE::FTensorBindingCPU Bind(TArray<float>& Data)
    {
        return { Data.GetData(), Data.Num() * sizeof(float) };
    }
};

class FVganStylizer
{
public:
    static constexpr int32 Height = HEIGHT, Width = WIDTH;

    bool Init(UNNEModelData* Step, const TArray<float>& Code)
    {
        if (!Network.Init(Step)) return false;
        Network.In[TEXT("code")] = Code;
        Network.Out.Add(TEXT("stylised")).SetNumZeroed(Height * Width * 3);
        for (const TCHAR* Name : Names)
            Network.Out.Add(New(Name)) = Network.In[Name];
        return true;
    }

    // The code of a painting, once: its short side about STYLE, both multiples of 16.
    static TArray<float> Encode(
        UNNEModelData* Style, const TArray<float>& Rgb, uint32 Height, uint32 Width)
    {
        FVganNetwork Network;
        const TArray<uint32> Sizes = { 1, Height, Width, 3 };
        if (!Network.Init(Style, { UE::NNE::FTensorShape::Make(Sizes) })) return {};
        Network.In[TEXT("pictures")] = Rgb;
        Network.Out.Add(TEXT("code")).SetNumZeroed(CODE);
        return Network.Run() ? Network.Out[TEXT("code")] : TArray<float>();
    }

    // Before the first frame all is zeros; call it at every cut to another scene.
    void Reset()
    {
        for (const TCHAR* Name : Names)
            for (float& Value : Network.In[Name]) Value = 0;
    }

    // Height * Width * 3 numbers in and out.
    bool Paint(TArray<float>& Rgb)
    {
        Network.In[TEXT("frame")] = Rgb;
        if (!Network.Run()) return false;
        for (const TCHAR* Name : Names)
            Swap(Network.In[Name], Network.Out[New(Name)]);
        Rgb = Network.Out[TEXT("stylised")];
        return true;
    }

private:
    static constexpr const TCHAR* Names[] = { TEXTS };
    FVganNetwork Network;

    static FString New(const TCHAR* Name) { return FString(TEXT("new_")) + Name; }
};
"""


def write(manifest: Manifest, folder: str | pathlib.Path) -> None:
    """Write Stylizer.cs and Stylizer.h into the folder of an export of one size."""
    shapes = [f"new TensorShape({_listed(s)})" for s in manifest.state.values()]
    filled = {
        "HEIGHT": str(manifest.size[0]),
        "WIDTH": str(manifest.size[1]),
        "NAMES": _listed(f'"{name}"' for name in manifest.state),
        "TEXTS": _listed(f'TEXT("{name}")' for name in manifest.state),
        "SHAPES": ",\n        ".join(shapes),
        "CODE": str(manifest.model.code_size),
        "STYLE": str(manifest.model.style_size),
    }
    for name, text in ((UNITY, _UNITY), (UNREAL, _UNREAL)):
        for word, value in filled.items():
            text = re.sub(rf"\b{word}\b", value, text)
        pathlib.Path(folder, name).write_text(text)


def _listed(values):
    return ", ".join(map(str, values))
