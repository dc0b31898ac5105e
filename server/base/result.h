#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace chancery::base {

/// What went wrong, as one of the rows of error_codes.def.
enum class Code {
#define ERROR_CODE(name, text, number, exit, meaning, advice) name,
#include "server/base/error_codes.def"
#undef ERROR_CODE
};

/// One row of error_codes.def.
struct CodeRow {
  Code code;
  std::string_view name;  ///< the enumerator's name, "NotFound"
  std::string_view text;  ///< the word on the wire, "not_found"
  int number;             ///< JSON-RPC error number
  int exit_status;        ///< exit status of command-line programs (sysexits.h)
  std::string_view meaning;
  std::string_view advice;  ///< what to do about it
};

const CodeRow& describe(Code code);
std::optional<Code> code_from_text(std::string_view text);

/// The whole vocabulary, for documents and tests.
std::pair<const CodeRow*, std::size_t> all_codes();

/// What the world caused: a code for programs, one factual line for people, advice in the hint.
class Error {
 public:
  Error(Code code, std::string message, std::string hint = {})
      : code_(code), message_(std::move(message)), hint_(std::move(hint)) {}

  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }

  /// The same error with the place in front: "csr: trailing bytes".
  Error within(std::string_view place) const;

 private:
  Code code_;
  std::string message_;
  std::string hint_;
};

/// "message (hint)", one line for logs and terminals.
std::string to_line(const Error& error);

/// A broken promise of our own code. Caught only in main, at the request boundary and in fuzz drivers.
class Bug : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void raise_bug(const char* file, int line, const char* what);

/// A value or an Error. Not to be ignored.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return need(), std::get<0>(state_); }
  const T& value() const& { return need(), std::get<0>(state_); }
  T&& value() && { return need(), std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T other) && { return ok() ? std::get<0>(std::move(state_)) : std::move(other); }

  const Error& error() const& {
    if (ok()) raise_bug(__FILE__, __LINE__, "error() of a result that holds a value");
    return std::get<1>(state_);
  }

 private:
  void need() const {
    if (!ok()) raise_bug(__FILE__, __LINE__, to_line(std::get<1>(state_)).c_str());
  }
  std::variant<T, Error> state_;
};

/// Success without a value.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  void value() const {
    if (error_) raise_bug(__FILE__, __LINE__, to_line(*error_).c_str());
  }
  const Error& error() const {
    if (!error_) raise_bug(__FILE__, __LINE__, "error() of a result that holds success");
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

/// Every room says Result and Error without qualification.
using Status = Result<void>;

}  // namespace chancery::base

namespace chancery {
using base::Bug;
using base::Code;
using base::Error;
using base::Result;
using base::Status;
}  // namespace chancery

#define PKI_CONCAT_INNER(a, b) a##b
#define PKI_CONCAT(a, b) PKI_CONCAT_INNER(a, b)
#define PKI_TRY_IMPL(result, declaration, expression) \
  auto result = (expression);                         \
  if (!result.ok()) return std::move(result).error(); \
  declaration = std::move(result).value()

/// PKI_TRY(auto x, f()) : x = value of f(), or leave this function with its error.
#define PKI_TRY(declaration, expression) PKI_TRY_IMPL(PKI_CONCAT(pki_result_, __COUNTER__), declaration, expression)

/// PKI_TRY_VOID(f()) : leave this function with the error of f(), if any.
#define PKI_TRY_VOID(expression)                                                     \
  do {                                                                               \
    if (auto pki_status = (expression); !pki_status.ok()) return pki_status.error(); \
  } while (false)

/// A promise of our own code; broken, it throws Bug.
#define PKI_CHECK(condition)                                                       \
  do {                                                                             \
    if (!(condition)) ::chancery::base::raise_bug(__FILE__, __LINE__, #condition); \
  } while (false)
