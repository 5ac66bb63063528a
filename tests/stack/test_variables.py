"""Who took the bytes: from the compiler, from the C text; LLVM's text of several releases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labkit
from labkit.errors import MachineError
from labkit.program.llvm_ir import locals_on_stack, structs_in
from labkit.program.variants import Variant, find
from labkit.stack import variables as stack_bytes

# What each release prints, shortened: typed pointers and calls; opaque ones and debug records.
LLVM_14 = """
; ModuleID = 'other'
define i32 @other() {
  %1 = alloca i32, align 4
}
; ModuleID = 'main.c'
define i32 @prog(i8* %0) !dbg !9 {
  %2 = alloca i32, align 4
  %3 = alloca %struct.big, align 8
  call void @llvm.dbg.declare(metadata %struct.big* %3, metadata !2, metadata !DIExpression())
  call void @llvm.dbg.value(metadata i32* %2, metadata !1, metadata !DIExpression(DW_OP_deref))
  %4 = call i8* asm sideeffect "$0 = r10; $0 += $1", "=r,i,~{flags}"(i32 -48) #6, !dbg !9
  %5 = bitcast i8* %4 to i64*, !dbg !9
  call void @llvm.dbg.value(metadata i8* %4, metadata !11, metadata !DIExpression()), !dbg !9
  call void @llvm.dbg.value(metadata i64* %5, metadata !12, metadata !DIExpression()), !dbg !9
  %6 = call i8* asm sideeffect "$0 = r10; $0 += $1", "=r,i,~{flags}"(i32 -304) #6, !dbg !9
  call void @llvm.dbg.value(metadata i8* %6, metadata !13, metadata !DIExpression()), !dbg !9
}
"""
LLVM_19 = """
; ModuleID = 'main.c'
define dso_local i32 @prog(ptr noundef %0) local_unnamed_addr #0 !dbg !9 {
  %2 = alloca i32, align 4, !DIAssignID !42
    #dbg_assign(i1 undef, !1, !DIExpression(), !42, ptr %2, !DIExpression(), !43)
  %3 = alloca %struct.big, align 8, !DIAssignID !44
    #dbg_declare(ptr %3, !2, !DIExpression(), !43)
}
"""
NODES = """
!0 = !DIFile(filename: "main.c", directory: "/tmp")
!1 = !DILocalVariable(name: "zero", scope: !9, file: !0, line: 4, type: !3)
!2 = !DILocalVariable(name: "event", scope: !9, file: !0, line: 5, type: !5)
!3 = !DIDerivedType(tag: DW_TAG_typedef, name: "u32", file: !0, line: 1, baseType: !4)
!4 = !DIBasicType(name: "unsigned int", size: 32, encoding: DW_ATE_unsigned)
!5 = distinct !DICompositeType(tag: DW_TAG_structure_type, name: "big", file: !0, size: 4352)
!11 = !DILocalVariable(name: "at", scope: !9, file: !0, line: 7, type: !14)
!12 = !DILocalVariable(name: "header", scope: !9, file: !0, line: 7, type: !15)
!13 = !DILocalVariable(name: "path", scope: !9, file: !0, line: 8, type: !15)
!14 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: null, size: 64)
!15 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !3, size: 64)
"""


@pytest.mark.parametrize("text", [LLVM_14, LLVM_19], ids=["LLVM 14", "LLVM 19"])
def test_what_each_release_prints(text):
    found = {one.name: one for one in locals_on_stack(text + NODES)}
    assert (found["zero"].bytes, found["zero"].type, found["zero"].line) == (4, "u32", 4)
    assert (found["event"].bytes, found["event"].type) == (544, "struct big")
    assert found["event"].offset is None
    assert found["event"].file == "main.c"


def test_what_is_carved_from_the_frame_pointer_has_a_place():
    found = {one.name: one for one in locals_on_stack(LLVM_14 + NODES)}
    assert set(found) == {"zero", "event", "header", "path"}
    assert (found["header"].offset, found["header"].bytes) == (-48, 48)
    assert (found["path"].offset, found["path"].bytes) == (-304, 256)


@given(
    st.text() | st.lists(st.sampled_from((LLVM_14 + LLVM_19 + NODES).splitlines())).map("\n".join)
)
def test_any_text(text):
    for one in locals_on_stack(text):
        assert one.bytes >= 0


def test_from_the_c_text():
    found = stack_bytes.by_source(find("stack"), {"big_event": 544, "extra_buffer": 768})
    sizes = {one.name: one.bytes for one in found}
    assert sizes == {"event_object": 544, "extra_object": 768}  # of local_data no size was given
    text = find("stack").text.splitlines()
    assert all(one.line and one.name in text[one.line - 1] for one in found)


def test_only_the_arm_that_is_compiled_is_read():
    assert stack_bytes.by_source(find("percpu"), {"big_event": 544}) == ()


def test_without_a_compiler_the_c_text_tells(monkeypatch):
    def refuse(*_):
        raise MachineError("no bcc", "install it")

    monkeypatch.setattr(stack_bytes, "by_compiler", refuse)
    monkeypatch.setattr(stack_bytes, "_struct_sizes", lambda: {"big_event": 544})
    found = stack_bytes.stack_variables("stack")
    assert found.sizes == {"event_object": 544}
    assert "C text" in found.found
    assert "C text" in repr(found)


@pytest.mark.live
def test_live_the_three_structs_and_nothing_else_of_size():
    layouts = labkit.layout()
    wanted = {layouts[name]["size"] for name in ("big_event", "extra_buffer", "local_data")}
    for name in ("stack", "stack_lifted"):
        found = stack_bytes.stack_variables(name)
        assert "compiler" in found.found
        assert {one.bytes for one in found.variables if one.bytes > 16} == wanted
        assert found.total >= sum(wanted)
        assert found.table["bytes"].sum() == found.total


@pytest.mark.live
def test_live_the_good_program_needs_next_to_nothing():
    assert stack_bytes.stack_variables("percpu").total <= 64


@pytest.mark.live
def test_live_the_sizes_reach_the_explanation():
    report = labkit.build("stack")
    sizes = stack_bytes.stack_variables(report).sizes
    assert "544 bytes" in report.explain(sizes).change
    large = [f"`{name}` ({size} bytes)" for name, size in sizes.items() if size > 64]
    assert all(words in report.explain(sizes).happened for words in large)


@pytest.mark.live
def test_live_an_array_and_a_program_that_does_not_compile():
    source = (
        "int f(void *ctx)\n{\n\tchar text[40] = {};\n"
        "\tbpf_get_current_comm(text, sizeof(text));\n\treturn 0;\n}\n"
    )
    (user,) = stack_bytes.stack_variables(Variant("f", source, "")).variables
    assert (user.name, user.bytes, user.line) == ("text", 40, 3)
    nonsense = source.replace("return 0;", "return nothing;")
    broken = stack_bytes.stack_variables(Variant("g", nonsense, ""))
    assert broken.sizes == {"text": 40}
    assert "C text" in broken.found


STRUCTS = """
!1 = distinct !DICompositeType(tag: DW_TAG_structure_type, name: "pair", size: 160, elements: !2)
!2 = !{!3, !4, !9}
!3 = !DIDerivedType(tag: DW_TAG_member, name: "id", scope: !1, baseType: !5, size: 64)
!4 = !DIDerivedType(tag: DW_TAG_member, name: "word", baseType: !7, size: 64, offset: 64)
!5 = !DIDerivedType(tag: DW_TAG_typedef, name: "u64", baseType: !6)
!6 = !DIBasicType(name: "unsigned long long", size: 64, encoding: DW_ATE_unsigned)
!7 = !DICompositeType(tag: DW_TAG_array_type, baseType: !8, size: 64, elements: !2)
!8 = !DIBasicType(name: "char", size: 8, encoding: DW_ATE_signed_char)
!9 = !DIDerivedType(tag: DW_TAG_member, name: "at", baseType: !10, size: 32, offset: 128)
!10 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !1, size: 32)
"""


def test_the_layout_of_a_struct_in_the_debug_information():
    fields = [
        {"name": "id", "offset": 0, "size": 8, "code": "L", "count": None},
        {"name": "word", "offset": 8, "size": 8, "code": "c", "count": 8},
        {"name": "at", "offset": 16, "size": 4, "code": None, "count": None},
    ]
    assert structs_in(STRUCTS) == {"pair": {"name": "pair", "size": 20, "fields": fields}}


@given(st.text(alphabet='!1=(){}: ,"DICompositeTypename\nsizeltg_', max_size=200))
def test_any_text_has_structs_or_none(text):
    structs_in(text)
    structs_in(STRUCTS.replace("!6", text))
