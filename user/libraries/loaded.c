/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "libraries.h"

#include "identify/expat_api.h"
#include "system/message.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <dlfcn.h>
#include <pcre2.h>

/* The libraries' file names, of the versions that the headers belong to. */
#define PCRE2_FILE "libpcre2-8.so.0"
#define EXPAT_FILE "libexpat.so.1"

/* Each function that is called: its name, result, parameters, arguments. */
#define PCRE2_FUNCTIONS(X)                                                     \
	X(pcre2_compile_8, pcre2_code_8 *,                                     \
	  (PCRE2_SPTR8 pattern, PCRE2_SIZE len, uint32_t options, int *error,  \
	   PCRE2_SIZE *where, pcre2_compile_context_8 *context),               \
	  (pattern, len, options, error, where, context))                      \
	X(pcre2_code_free_8, void, (pcre2_code_8 * code), (code))              \
	X(pcre2_get_error_message_8, int,                                      \
	  (int error, PCRE2_UCHAR8 *text, PCRE2_SIZE size),                    \
	  (error, text, size))                                                 \
	X(pcre2_get_ovector_pointer_8, PCRE2_SIZE *,                           \
	  (pcre2_match_data_8 * data), (data))                                 \
	X(pcre2_match_8, int,                                                  \
	  (const pcre2_code_8 *code, PCRE2_SPTR8 text, PCRE2_SIZE len,         \
	   PCRE2_SIZE start, uint32_t options, pcre2_match_data_8 *data,       \
	   pcre2_match_context_8 *context),                                    \
	  (code, text, len, start, options, data, context))                    \
	X(pcre2_match_context_create_8, pcre2_match_context_8 *,               \
	  (pcre2_general_context_8 * context), (context))                      \
	X(pcre2_match_context_free_8, void, (pcre2_match_context_8 * context), \
	  (context))                                                           \
	X(pcre2_match_data_create_8, pcre2_match_data_8 *,                     \
	  (uint32_t groups, pcre2_general_context_8 * context),                \
	  (groups, context))                                                   \
	X(pcre2_match_data_free_8, void, (pcre2_match_data_8 * data), (data))  \
	X(pcre2_set_depth_limit_8, int,                                        \
	  (pcre2_match_context_8 * context, uint32_t limit), (context, limit)) \
	X(pcre2_set_heap_limit_8, int,                                         \
	  (pcre2_match_context_8 * context, uint32_t limit), (context, limit)) \
	X(pcre2_set_match_limit_8, int,                                        \
	  (pcre2_match_context_8 * context, uint32_t limit), (context, limit))

#define EXPAT_FUNCTIONS(X)                                                     \
	X(XML_ErrorString, const XML_LChar *, (enum XML_Error error), (error)) \
	X(XML_GetCurrentLineNumber, XML_Size, (XML_Parser parser), (parser))   \
	X(XML_GetErrorCode, enum XML_Error, (XML_Parser parser), (parser))     \
	X(XML_Parse, enum XML_Status,                                          \
	  (XML_Parser parser, const char *text, int len, int is_last),         \
	  (parser, text, len, is_last))                                        \
	X(XML_ParserCreate, XML_Parser, (const XML_Char *encoding),            \
	  (encoding))                                                          \
	X(XML_ParserFree, void, (XML_Parser parser), (parser))                 \
	X(XML_SetElementHandler, void,                                         \
	  (XML_Parser parser, XML_StartElementHandler start,                   \
	   XML_EndElementHandler end),                                         \
	  (parser, start, end))                                                \
	X(XML_SetStartDoctypeDeclHandler, void,                                \
	  (XML_Parser parser, XML_StartDoctypeDeclHandler start),              \
	  (parser, start))                                                     \
	X(XML_SetUserData, void, (XML_Parser parser, void *data),              \
	  (parser, data))                                                      \
	X(XML_StopParser, enum XML_Status,                                     \
	  (XML_Parser parser, XML_Bool is_resumable), (parser, is_resumable))

/* Where the functions are, once they are loaded. */
static struct {
#define PLACE(name, result, parameters, arguments) typeof(name) *name;
	PCRE2_FUNCTIONS(PLACE)
	EXPAT_FUNCTIONS(PLACE)
#undef PLACE
} at;

#define CALL(name, result, parameters, arguments)                              \
	result name parameters                                                 \
	{                                                                      \
		return at.name arguments;                                      \
	}
PCRE2_FUNCTIONS(CALL)
EXPAT_FUNCTIONS(CALL)
#undef CALL

static void *open_library(const char *file)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		message("%s: --identify needs it: install it, or leave the "
			"option out",
			dlerror());
	return library;
}

static void *find(void *library, const char *name)
{
	void *function = library ? dlsym(library, name) : NULL;

	if (library && !function)
		message("%s", dlerror());
	return function;
}

static bool load_pcre2(void)
{
	void *library = open_library(PCRE2_FILE);

#define FIND(name, result, parameters, arguments)                              \
	at.name = find(library, #name);                                        \
	if (!at.name)                                                          \
		return false;
	PCRE2_FUNCTIONS(FIND)
	return true;
}

static bool load_expat(void)
{
	void *library = open_library(EXPAT_FILE);

	EXPAT_FUNCTIONS(FIND)
#undef FIND
	return true;
}

bool libraries_load(bool with_expat)
{
	return load_pcre2() && (!with_expat || load_expat());
}
