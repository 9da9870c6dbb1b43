// QEMU plugin: how often each block of instructions of an emulated program ran, and what it consists of.
//
// Build: cc -O2 -shared -fPIC -o blocks.so blocks.c
// Use:   qemu-aarch64 -plugin ./blocks.so,out=FILE PROGRAM
//
// FILE gets a line for each block: executions, address, symbol, instructions in hexadecimal as they lie in
// memory. Blocks that QEMU translates more than once get more than one line.
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What is used of version 1 of QEMU's plugin interface (docs/devel/tcg-plugins), so that no header is needed.
typedef uint64_t plugin_id;
typedef struct tb tb;
typedef struct insn insn;
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, tb *));
extern void qemu_plugin_register_vcpu_tb_exec_inline(tb *, int operation, void *target, uint64_t value);
extern void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
extern size_t qemu_plugin_tb_n_insns(const tb *);
extern insn *qemu_plugin_tb_get_insn(const tb *, size_t);
extern uint64_t qemu_plugin_tb_vaddr(const tb *);
extern const void *qemu_plugin_insn_data(const insn *);
extern const char *qemu_plugin_insn_symbol(const insn *);
__attribute__((visibility("default"))) int qemu_plugin_version = 1;
enum { ADD_U64 = 0 };

struct block {
    struct block *next;
    uint64_t executions, address;
    const char *symbol;
    size_t instructions;
    uint32_t code[];
};
static struct block *blocks;
static char path[4096];

// QEMU translates under a lock, so that the list needs none.
static void on_translation(plugin_id id, tb *translated) {
    (void)id;
    size_t n = qemu_plugin_tb_n_insns(translated);
    struct block *block = calloc(1, sizeof *block + n * sizeof *block->code);
    if (!block) return;
    for (size_t i = 0; i < n; i++)
        memcpy(&block->code[i], qemu_plugin_insn_data(qemu_plugin_tb_get_insn(translated, i)), sizeof block->code[i]);
    const char *symbol = qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(translated, 0));
    block->symbol = symbol && *symbol ? strdup(symbol) : "?";
    block->address = qemu_plugin_tb_vaddr(translated);
    block->instructions = n;
    block->next = blocks;
    blocks = block;
    qemu_plugin_register_vcpu_tb_exec_inline(translated, ADD_U64, &block->executions, 1);
}

static void on_exit_of_program(plugin_id id, void *data) {
    (void)id, (void)data;
    FILE *file = fopen(path, "w");
    if (!file) return;
    for (const struct block *block = blocks; block; block = block->next) {
        if (!block->executions) continue;
        fprintf(file, "%" PRIu64 " %" PRIx64 " %s ", block->executions, block->address, block->symbol);
        for (size_t i = 0; i < block->instructions; i++) fprintf(file, "%08" PRIx32, block->code[i]);
        fputc('\n', file);
    }
    fclose(file);
}

__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; i++)
        if (!strncmp(argv[i], "out=", 4)) snprintf(path, sizeof path, "%s", argv[i] + 4);
    if (!*path) return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, on_exit_of_program, NULL);
    return 0;
}
